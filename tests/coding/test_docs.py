"""The pages for coders and readers name what is there: columns, messages, commands and options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coding.exchange._table import DONE, LEAD, NOTE
from coding.exchange.xlsx import HOW
from flows.cli import cli

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("coding-in-excel.md", "estimates.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_command_and_option_on_a_page_exists(page: str) -> None:
    """What a page tells the reader to type, the command line knows."""
    text = (DOCS / page).read_text(encoding="utf-8")
    calls = re.findall(r"^veldwerk .*$|`(veldwerk [^`]*)`", text, re.M)
    lines = [c for c in calls if c] + re.findall(r"^(veldwerk .*)$", text, re.M)
    assert lines
    for line in lines:
        words = line.split()[1:]
        command = cli.get_command(cli.make_context("veldwerk", [], resilient_parsing=True), words[0])
        assert command is not None, line
        if hasattr(command, "commands"):
            command = command.commands[words[1]]
        known = {o for p in command.params for o in p.opts}
        assert {w for w in words if w.startswith("--")} <= known, line


def test_the_page_for_coders_explains_every_column() -> None:
    """A coder finds each column of her sheet on the page."""
    text = (DOCS / PAGES[0]).read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in (*LEAD, DONE, NOTE))
    assert len(HOW) == 8


def test_the_messages_on_the_page_are_those_that_are_given() -> None:
    """Each message in the table stands in the code, but for its numbers and names."""
    text = (DOCS / PAGES[0]).read_text(encoding="utf-8")
    told = re.findall(r"^\| `([^`]+)` \|", text.partition("## What the project will send")[2].partition("##")[0], re.M)
    package = Path(__file__).parents[2] / "coding"
    code = "\n".join(p.read_text(encoding="utf-8") for p in package.rglob("*.py"))
    assert len(told) == 6
    for message in told:
        tail = re.sub(r"^(row \d+(, column [a-z.]+)?: |\d+ |the column [a-z.]+ )", "", message)
        tail = re.sub(r"the post of row \d+ ", "", tail).replace(" anna before", "")
        assert tail in code, message
