"""The main job, as a newcomer runs it: the whole study, twice, in a home of its own."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

from coding import load_codebook
from demo.fieldwork import rows
from flows.home import Home

pytestmark = pytest.mark.slow
CASES = ("neighbourhood-watch", "hostage-factfinding", "justice-for-victim", "scam-fighters")


@dataclass(frozen=True)
class Study:
    home: Path
    runs: tuple[subprocess.CompletedProcess[str], ...]

    @property
    def out(self) -> Path:
        return self.home / "out"


def environment(folder: Path) -> dict[str, str]:
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("VELDWERK_", "PREFECT_"))},
        "VELDWERK_HOME": str(folder / "home"),
        "VELDWERK_KEY_FILE": str(folder / "elsewhere" / "key"),
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("study")
    command = [sys.executable, "-m", "flows", "study", "--json"]
    runs = tuple(
        subprocess.run(command, capture_output=True, text=True, check=False, env=environment(folder)) for _ in range(2)
    )
    return Study(folder / "home", runs)


def opened(study: Study) -> Home:
    return Home.open(environment(study.home.parent))


def test_the_study_succeeds_twice(study: Study) -> None:
    """Both runs end with exit code 0 and no failed step, and the second stores nothing new."""
    assert [r.returncode for r in study.runs] == [0, 0], study.runs[-1].stderr
    first, second = (json.loads(r.stdout) for r in study.runs)
    stored = [sum(s["counts"].get("stored", 0) for s in told["steps"]) for told in (first, second)]
    assert stored == [len(rows()), 0]


def test_every_post_of_the_set_is_kept_once(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """After two runs each post of the fieldwork set is stored exactly once, under its case and time."""
    monkeypatch.setenv("VELDWERK_KEY_FILE", environment(study.home.parent)["VELDWERK_KEY_FILE"])
    kept = Counter((p.case, p.created.replace(microsecond=0)) for p in opened(study).store.posts())
    assert kept == Counter((r.case, r.created.replace(microsecond=0)) for r in rows())


def test_the_codebook_uses_every_code(study: Study) -> None:
    """The codebook table lists all 21 codes, each given to at least one post of the four cases."""
    text = (study.out / "codebook.csv").read_text(encoding="utf-8-sig")
    lines = list(csv.DictReader(text.splitlines()))
    assert {line["code"] for line in lines} == {code.id for code in load_codebook().codes}
    page = (study.out / "codebook.html").read_text(encoding="utf-8")
    assert all(code.id in page for code in load_codebook().codes)


def test_each_case_has_a_sample(study: Study) -> None:
    """Each case has one annotation sample as CSV, with a column a code and redacted texts."""
    for case in CASES:
        text = (study.out / f"sample-{case}.csv").read_text(encoding="utf-8-sig")
        assert all(code.id in text.splitlines()[0] for code in load_codebook().codes)
        assert len(text.splitlines()) > 20


def test_the_summary_names_every_case(study: Study) -> None:
    """The summary page tells of all four cases and loads nothing from elsewhere."""
    page = (study.out / "index.html").read_text(encoding="utf-8")
    assert all(f'id="{case}"' in page for case in CASES)
    assert not re.search(r'(src|href)="https?:', page)


def planted() -> set[str]:
    """What may not be found anywhere: every author and structured detail long enough to be unmistakable."""
    found = {row.author for row in rows()}
    for path in (files("demo") / "gold" / "dev").iterdir():
        for line in path.read_text(encoding="utf-8").splitlines():
            found |= {s["text"] for s in json.loads(line)["pii"] if s["type"] != "PERSON"}
    return {text for text in found if len(text) >= 8}


def test_no_byte_names_a_person(study: Study) -> None:
    """No author, number, address or link of the set is found in any byte below the home, Prefect's home included."""
    needles = {form.encode() for text in planted() for form in (text, text.lower(), text.upper())}
    hits = {
        (path.relative_to(study.home).as_posix(), needle)
        for path in study.home.rglob("*")
        if path.is_file()
        for content in [path.read_bytes()]
        for needle in needles
        if needle in content
    }
    assert not hits
    assert any(path.is_relative_to(study.home / "prefect") for path in study.home.rglob("*.db"))


def test_no_message_names_a_person(study: Study) -> None:
    """Neither output of either run holds an author, number, address or link of the set."""
    told = "".join(r.stdout + r.stderr for r in study.runs).lower()
    assert not {text for text in planted() if text.lower() in told}


def test_a_failing_source_does_not_stop_the_others(tmp_path: Path) -> None:
    """When one source cannot be read, all other sources are stored, the failure is reported, and the exit code is 1."""
    code = (
        "import demo.make, sys\n"
        "real = demo.make.exports\n"
        "def broken(folder, case=None):\n"
        "    found = real(folder, case)\n"
        "    for e in found[:1] if case == 'scam-fighters' else []:\n"
        "        e.path.write_bytes(b'PK\\x03\\x04 cut short')\n"
        "    return found\n"
        "demo.make.exports = broken\n"
        "sys.argv = ['veldwerk', 'study', '--json']\n"
        "from flows.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment(tmp_path)
    )
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["failed"] == 1
    assert sum(s["counts"].get("stored", 0) for s in told["steps"]) > len(rows()) - 40
    assert "scam-fighters" in done.stderr
    assert "Traceback" not in done.stderr
