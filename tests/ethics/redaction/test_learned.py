"""What coders report as missed is found from then on, and leaves what was stored before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from collectors import Sealed
from ethics.audit import Trail
from ethics.redaction import Redactor
from ethics.redaction.learned import known_in, learn
from ethics.rights import Holdings
from storage import Annotation, Coding, Store
from storage.learned import moved, with_labels

from ..entrance import CASE, KEY, START, Study, raw

MISSED = [("PERSON", Sealed("Zwarte Kip")), ("PHONE", Sealed("+999 12"))]
TEXT = "de zwarte kip belde met +999 12 en liep toen naar de sluis"


class Open(Study):
    """A study whose file is not encrypted nor compressed, so that every byte can be read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.store = Store(root / "corpus.duckdb", None)
        with self.store.transaction() as db:
            db.execute("set force_compression = 'uncompressed'")
        self.held = Holdings(self.store, self.vault, Trail(root / "audit.jsonl", KEY.derive("audit")), root)


@pytest.fixture
def study(tmp_path: Path) -> Open:
    opened = Open(tmp_path)
    opened.take([raw(1, TEXT), raw(2, "rustig hier vanavond")])
    return opened


def text_of(study: Open) -> str:
    return next(p.text for p in study.posts() if "sluis" in p.text)


def test_a_missed_value_leaves_every_byte(study: Open, tmp_path: Path) -> None:
    """The value is in the file before, and after in no byte of the home, its trail and learned values included."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.html").write_text(f"<p>{text_of(study)}</p>", encoding="utf-8")
    assert "zwarte kip" in text_of(study)
    done = learn(study.held, study.seal, CASE, MISSED)
    assert (done.values, done.texts, done.places, done.files) == (2, 1, 2, ("out/report.html",))
    assert text_of(study) == "de [PERSOON] belde met [TELEFOON] en liep toen naar de sluis"
    written = b"".join(p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file())
    assert b"warte kip" not in written.lower()
    assert b"+999 12" not in written


def test_what_was_learned_is_found_later(study: Open) -> None:
    """A redactor of the case finds the value, one without the evidence does not; learning it twice adds nothing."""
    learn(study.held, study.seal, CASE, MISSED)
    assert learn(study.held, study.seal, CASE, MISSED).values == 0
    known = known_in(study.store, study.seal, CASE)
    later = "kijk, de Zwarte Kip, van +999 12"
    assert {later[f.start : f.end] for f in Redactor("readable", known).find(later)} == {"Zwarte Kip", "+999 12"}
    assert known_in(study.store, study.seal, "hostage-factfinding").phrases == {}


def test_evidence_spans_move_with_the_text(study: Open) -> None:
    """A code's evidence points at the same words after the labels are in; the kinds found are counted."""
    post = next(p for p in study.posts() if "sluis" in p.text)
    start = post.text.index("liep")
    study.store.begin_coding(Coding("c1", "rules", "rules", "1", "x", "{}", START))
    mark = Annotation("c1", post.id, "tools.osint", start=start, end=start + len("liep toen"), rule="zag zwarte kip")
    study.store.annotate("c1", [(post.id, 1)], [mark])
    learn(study.held, study.seal, CASE, MISSED)
    (after,) = study.store.annotations("c1")
    assert text_of(study)[after.start : after.end] == "liep toen"
    assert after.rule == "zag [PERSOON]"
    post = next(p for p in study.posts() if "sluis" in p.text)
    assert {(d.type, d.count) for d in post.disclosures} == {("PERSON", 1), ("PHONE", 1)}


def test_offsets_inside_a_label_lie_at_its_edges() -> None:
    """An offset within a replaced stretch goes to the label's near edge; others keep their words."""
    spots = [(3, 8, "PERSON", "[PERSOON]"), (12, 14, "PHONE", "[TELEFOON]")]
    text = "abcDDDDDefghIIklm"
    changed = with_labels(text, spots)
    assert changed == "abc[PERSOON]efgh[TELEFOON]klm"
    assert changed[moved(8, spots, last=False) : moved(12, spots, last=True)] == "efgh"
    assert changed[moved(4, spots, last=False) : moved(6, spots, last=True)] == "[PERSOON]"
    assert changed[moved(14, spots, last=False) : moved(17, spots, last=True)] == "klm"


def test_the_command_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    """An unknown case, type or key is a wrong use; the message has the line and never the value."""
    environment = {**os.environ, "VELDWERK_HOME": str(tmp_path), "VELDWERK_KEY": bytes(range(32)).hex()}
    good = {"case": CASE, "text": "Geheimpje", "type": "PERSON"}
    lines = [json.dumps(good), json.dumps({**good, "type": "NAAM"})]
    command = [sys.executable, "-m", "flows", "redact", "--learn"]
    done = subprocess.run(command, input="\n".join(lines).encode(), capture_output=True, env=environment, check=False)
    assert done.returncode == 2
    assert b"line 2" in done.stderr
    assert b"type" in done.stderr
    assert b"Geheimpje" not in done.stderr
    done = subprocess.run(command, input=lines[0].encode(), capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"case": CASE, "values": 1, "texts": 0, "places": 0, "files": []}
