"""What is read from an export is stored, known already, or skipped for a reason, and nothing of it is said aloud."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flows.cli import cli
from flows.home import Home
from tests.collectors.test_fuzz import CANARY, samples
from tests.real import real

CASE = "neighbourhood-watch"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VELDWERK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VELDWERK_KEY", secrets.token_hex(32))


def importing(*paths: Path) -> Result:
    return CliRunner().invoke(cli, ["import", *map(str, paths), "--case", CASE, "--json"])


def told(result: Result) -> dict[str, object]:
    found: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return found


def balanced(found: dict[str, object]) -> bool:
    skipped = found["skipped"]
    assert isinstance(skipped, dict)
    return bool(found["read"] == found["stored"] + found["duplicates"] + sum(skipped.values()))  # type: ignore[operator]


def recordings() -> list[Path]:
    """The real exports: chats of WhatsApp and Telegram, and pages of Twitter's search."""
    places = [*real("whatsapp").rglob("*.txt"), *real("telegram").rglob("*.json"), *real("4cat").rglob("*.json")]
    return sorted(places)


def test_every_real_export_is_accounted_for_and_stores_nothing_twice() -> None:
    """read = stored + duplicates + skipped for the real files, and the second time all of them are known."""
    first, again = told(importing(*recordings())), told(importing(*recordings()))
    assert first["failed"] == again["failed"] == []
    assert balanced(first)
    assert balanced(again)
    assert first["read"] == again["read"]
    assert first["skipped"] == again["skipped"]
    assert (again["stored"], again["duplicates"]) == (0, first["stored"] + first["duplicates"])  # type: ignore[operator]


def test_every_format_is_accounted_for_and_stores_nothing_twice(tmp_path: Path) -> None:
    """The same of an export of each format."""
    paths = [p for found in samples(tmp_path).values() for p in found]
    first, again = told(importing(*paths)), told(importing(*paths))
    assert first["failed"] == again["failed"] == []
    assert balanced(first)
    assert balanced(again)
    assert again["stored"] == 0
    assert first["stored"] == Home(tmp_path / "home").store.count(CASE)


def test_a_bad_file_stops_no_other_and_tells_no_content(tmp_path: Path) -> None:
    """Exit code 2 with one line a bad file, while the good ones are stored."""
    good, bad, foreign = tmp_path / "goed.txt", tmp_path / "result.json", tmp_path / "vreemd.bin"
    good.write_text("14-11-24 10:00 - Ann: hoi\n")
    bad.write_text(f'{{"type": "private_group", "messages": [{{"text": "{CANARY}"}} {CANARY}]}}')
    foreign.write_bytes(b"\x00\x01" * 500)
    result = importing(bad, good, foreign)
    assert result.exit_code == 2
    found = told(result)
    assert (found["read"], found["stored"]) == (1, 1)
    assert [line.partition(":")[0] for line in found["failed"]] == ["result.json", "vreemd.bin"]  # type: ignore[attr-defined]
    assert CANARY not in result.output + result.stderr
