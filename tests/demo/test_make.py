"""Laws of the exports made from the fieldwork set."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors import available, detect
from demo.fieldwork import API_PLATFORMS, Row, rows
from demo.make import CASES, exports, telegram_number, transcripts, turns
from tests.collectors.reading import Reading, read


def names(found: Reading) -> list[set[str]]:
    """By which names each author is known."""
    return [{p.author.reveal(), *(a.reveal() for a in p.aliases)} for p in found.posts]


@pytest.mark.parametrize("case", CASES)
def test_every_post_comes_back_once_with_author_time_and_text(case: str, tmp_path: Path) -> None:
    """The exports and the platforms with an API together hold each post of the set once, as it was written."""
    seen: list[Row] = []
    for export in exports(tmp_path, case):
        assert detect(export.path) == export.format
        found = read(export.path)
        assert [(p.created, p.text.reveal()) for p in found.posts] == [(r.created, r.text) for r in export.rows]
        assert all(row.author in known for row, known in zip(export.rows, names(found), strict=True))
        assert len(set(found.ids)) == len(export.rows)
        seen += export.rows
    served = [r for r in rows(case) if r.platform in API_PLATFORMS]
    assert sorted(r.id for r in (*seen, *served)) == sorted(r.id for r in rows(case))


@pytest.mark.parametrize("case", CASES)
def test_replies_and_topics_of_telegram_come_back(case: str, tmp_path: Path) -> None:
    """A reply answers the message that it answered, and a thread of the set is a thread of the chat."""
    (export,) = [e for e in exports(tmp_path, case) if e.format == "telegram-desktop"]
    found = read(export.path)
    chat = found.ids[0].partition(":")[0]
    by_id = {r.id: f"{chat}:{telegram_number(r)}" for r in export.rows}
    assert found.ids == list(by_id.values())
    assert found.replies == [by_id[r.reply_to] if r.reply_to else None for r in export.rows]
    threads = [r.thread for r in export.rows]
    assert [found.threads.index(t) for t in found.threads] == [threads.index(t) for t in threads]


def test_making_the_exports_again_gives_the_same_posts(tmp_path: Path) -> None:
    """Written twice, the set has the same ids, so that a second study stores nothing new."""
    first = [read(e.path).ids for e in exports(tmp_path / "a")]
    assert first == [read(e.path).ids for e in exports(tmp_path / "b")]


def test_interviews_come_back_turn_by_turn(tmp_path: Path) -> None:
    """Each transcript format gives back who said what, in order, and a second into the interview where it began."""
    if "transcripts" not in available("read"):
        pytest.skip("no importer of transcripts here")
    for name, path in transcripts(tmp_path).items():
        found = read(path, "transcripts")
        assert found.texts == [t.text for t in turns(name)], path.suffix
        assert [a.rpartition(":")[2] for a in found.authors] == [t.speaker for t in turns(name)]
        assert {p.kind for p in found.posts} == {"interview"}
