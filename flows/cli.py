"""The command line. It only joins; each command is one file in `flows/commands`, imported when it is called."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import NoReturn

import click

COMMANDS = {
    "study": "Run all four cases on the shipped fieldwork set: collect, protect, store, code, report.",
    "cases": "List the cases: sources, legal basis, retention, and what is stored.",
    "collect": "Run the platform collectors of a case; resumes where it stopped.",
    "import": "Read exports (WhatsApp, Telegram Desktop, Zeeschuimer, 4CAT, ...) into a case.",
    "redact": "Filter: find personal data in JSON lines.",
    "code": "Code stored posts with the codebook.",
    "tag": "Filter: code JSON lines.",
    "topics": "Find inductive topics in a case, with their stability.",
    "sample": "Draw a sample for manual annotation and export it.",
    "annotations": "Take the codes of human coders back in.",
    "agreement": "Intercoder agreement per code and theme, with intervals.",
    "adjudicate": "Export disagreements, and take the decisions back in as gold.",
    "train": "Train the supervised coder on gold, and measure it.",
    "estimate": "Prevalence of each code with design-based intervals.",
    "codebook": "Write the codebook, or check one.",
    "quotes": "The quote register: what may be cited, in which words, and who approved it.",
    "interviews": "Take interview transcripts in through the same gate and codebook.",
    "triangulate": "Joint display of posts and interviews, and the next topic guide.",
    "network": "Multilayer networks, their measures over time, panel models.",
    "documents": "Take literature and policy documents in.",
    "report": "Write the self-contained web report.",
    "export": "Write the pseudonymised corpus, behind the disclosure check.",
    "find": "Search the redacted texts.",
    "refresh": "Ask the platforms what was edited or deleted since, and follow it.",
    "erase": "Erase a person or a post everywhere, prove it, and keep it out.",
    "retain": "Apply the retention periods.",
    "records": "Write the processing register, DPIA annex, public notice and deposit bundle.",
    "audit": "Verify the audit trail and show it.",
    "backup": "Write an encrypted copy of the study, verified by reading it back.",
    "restore": "Put a backup back.",
    "keys": "Show, rotate or destroy the keys of the cases.",
    "serve": "Run the four cases as scheduled Prefect deployments.",
    "doctor": "What is installed, and what each feature still needs.",
}


class Commands(click.Group):
    """Commands by file name, so that `--help` imports none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = f"flows.commands.{cmd_name}_" if cmd_name == "import" else f"flows.commands.{cmd_name}"
        if importlib.util.find_spec(module) is None:
            return _unbuilt(cmd_name)
        command = importlib.import_module(module).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _unbuilt(name: str) -> click.Command:
    @click.command(name, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
    def command() -> None:
        click.echo(f"veldwerk {name}: not built yet.", err=True)
        sys.exit(2)

    return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--debug", is_flag=True, help="Show where in the program a failure happened.")
@click.version_option(package_name="veldwerk", prog_name="veldwerk")
def cli(debug: bool) -> None:
    """An instrument for virtual ethnography of digital citizen-led policing.

    Everything a study writes goes to VELDWERK_HOME (default ./fieldwork).
    Start with `veldwerk study`.
    """


def main() -> NoReturn:
    """Run the command line: the exit codes of the contract, and no message that could carry content."""
    os.environ.setdefault("DO_NOT_TRACK", "1")
    debug = "--debug" in sys.argv
    if debug:
        # Accepted anywhere on the line; a tired person puts it last.
        sys.argv.remove("--debug")
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        _end(1, "stopped; what was finished is kept, and the same command goes on from there")
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): that is no failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 (the one place where every failure becomes one line)
        from .failure import explain

        code, line = explain(error, debug=debug)
        _end(code, line)
    sys.exit(0)


def _end(code: int, line: str) -> NoReturn:
    click.echo(f"veldwerk: {line}", err=True)
    sys.exit(code)
