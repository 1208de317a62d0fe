"""The command line's frame: names, help, exit codes, and that no message carries content."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys

import click
import pytest

from collectors import PlatformUnreachable, UnreadableExport
from ethics.policy import Refused
from flows.cli import COMMANDS
from flows.errors import WorkFailed, WrongUse
from flows.failure import explain
from storage import StoreError

CONTRACT = """
study cases collect import redact code tag topics sample annotations agreement adjudicate train estimate codebook
interviews triangulate network documents report export refresh erase retain records audit serve doctor
""".split()  # noqa: SIM905 (as it stands in the contract)


def veldwerk(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows", *words], capture_output=True, text=True, check=False, env={"PATH": "", **env}
    )


def built() -> list[str]:
    return [n for n in COMMANDS if importlib.util.find_spec(_module(n))]


def _module(name: str) -> str:
    return f"flows.commands.{name}_" if name == "import" else f"flows.commands.{name}"


def test_every_promised_command_is_listed() -> None:
    """Each command of the contract is known, built or not."""
    assert set(CONTRACT) <= set(COMMANDS)


@pytest.mark.parametrize("name", built())
def test_a_command_says_what_the_list_says(name: str) -> None:
    """A command's own help is the line in the list of commands, and each of its options has a help text."""
    command = importlib.import_module(_module(name)).command
    assert (command.help or "").split("\n")[0] == COMMANDS[name]
    assert all(p.help for p in command.params if isinstance(p, click.Option))


def test_no_command_file_is_unlisted() -> None:
    """A file in flows/commands that the list does not name would never be found; there is none."""
    import pkgutil

    from flows import commands

    assert {m.name.rstrip("_") for m in pkgutil.iter_modules(commands.__path__)} <= set(COMMANDS)


def test_help_imports_no_heavy_package() -> None:
    """`veldwerk --help` answers at once because it imports nothing heavy."""
    code = (
        "import sys; from flows.cli import cli; cli(['--help'], standalone_mode=False); "
        "heavy = {'duckdb', 'polars', 'spacy', 'prefect', 'praw', 'telethon', 'pydantic'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_unbuilt_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is not built yet answers with one line and exit code 2, whatever follows it."""
    from click.testing import CliRunner

    from flows import cli

    monkeypatch.setitem(cli.COMMANDS, "unbuilt", "Something later.")
    done = CliRunner().invoke(cli.cli, ["unbuilt", "x", "--whatever", "1"])
    assert (done.exit_code, done.output) == (2, "veldwerk unbuilt: not built yet.\n")


def test_an_unknown_command_is_wrong_use() -> None:
    """An unknown command ends with exit code 2 and one line of what to do, without a traceback."""
    done = veldwerk("colect")
    assert done.returncode == 2
    assert "colect" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_case_is_wrong_use(tmp_path: object) -> None:
    """An unknown case ends with exit code 2 and names those that exist."""
    done = veldwerk("collect", "nowhere", VELDWERK_HOME=str(tmp_path))
    assert done.returncode == 2
    assert "scam-fighters" in done.stderr


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("r"), 3), (WrongUse("w"), 2), (UnreadableExport("u"), 2), (PlatformUnreachable("p"), 1),
        (StoreError("s"), 1), (WorkFailed("f"), 1),
    ],
)  # fmt: skip
def test_each_failure_has_its_exit_code(error: Exception, code: int) -> None:
    """Our own errors end with the exit code of the contract and their own message."""
    assert explain(error) == (code, str(error))


@pytest.mark.parametrize("debug", [False, True])
def test_a_foreign_error_is_told_without_its_text(debug: bool) -> None:
    """An unexpected error is told by kind and place: its own text may quote a post, so it never shows."""
    secret = "Jan Klaassen, Poppenkast 1"
    try:
        raise ValueError(secret)
    except ValueError as error:
        code, line = explain(error, debug=debug)
    assert code == 1
    assert "ValueError" in line
    assert "Klaassen" not in line
