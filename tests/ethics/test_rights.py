"""Erasing: nothing of a person is left, in any byte, and she stays out."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from collectors import Sealed
from ethics.audit import Trail
from ethics.pseudonyms import Pseudonyms
from ethics.rights import Ambiguous, Holdings, erase_author, erase_posts, obey_suppressions, remove_posts
from storage import Annotation, Coding, Store
from storage.rights import moved_offset
from storage.vault import Vault

from .entrance import CASE, KEY, NAMES, START, Study, raw

WORDS = "zeldzame woorden over een gestolen bakfiets aan de overkant"


class Open(Study):
    """A study whose files are not encrypted nor compressed, so that every byte can be read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.store = Store(root / "corpus.duckdb", None)
        self.vault = Vault(root / "vault.duckdb", None)
        for file in (self.store, self.vault):
            with file.transaction() as db:
                db.execute("set force_compression = 'uncompressed'")
        self.held = Holdings(self.store, self.vault, Trail(root / "audit.jsonl", KEY.derive("audit")), root)


def author(handle: str) -> str:
    return NAMES.author("mastodon", Sealed(handle))


@pytest.fixture
def study(tmp_path: Path) -> Open:
    opened = Open(tmp_path)
    opened.take([
        raw(1, "wie weet hier meer van", "ander"),
        raw(2, WORDS, "weg_99", reply_to="1"),
        raw(3, "ja @weg_99 dat zag ik ook, en lotte-x ook", "ander", reply_to="2"),
        raw(4, "ik zag niets", "lotte-x", reply_to="2"),
    ])  # fmt: skip
    ids = {p.text: p.id for p in opened.posts()}
    coding = Coding("c1", "rules", "rules", "1", "x", "{}", START)
    opened.store.begin_coding(coding)
    third = next(p for p in opened.posts() if p.text.startswith("ja "))
    dat = third.text.index("dat zag")
    opened.store.annotate(
        "c1",
        [(p.id, 1) for p in opened.posts()],
        [
            Annotation("c1", ids[WORDS], "tools.footage", start=0, end=5),
            Annotation("c1", third.id, "tools.osint", start=dat, end=dat + 7),
        ],
    )
    return opened


def bytes_below(root: Path) -> bytes:
    return b"\n".join(p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file())


def test_no_byte_of_an_erased_author_is_left(study: Open, tmp_path: Path) -> None:
    """Words, pseudonym and native id are in the files before, and in no byte of them after."""
    needles = [WORDS.encode(), author("weg_99").encode()]
    before = bytes_below(tmp_path)
    assert all(n in before for n in needles)
    erasure = erase_author(study.held, {CASE: NAMES}, "mastodon", Sealed("@Weg_99"))
    assert erasure.proven
    after = bytes_below(tmp_path)
    assert needles[0] not in after
    # The one place that names her, as a pseudonym, is the list of whom to keep out.
    assert after.count(needles[1]) == 1
    assert study.store.suppressed(CASE) == {author("weg_99")}


def test_what_hangs_on_the_posts_goes_with_them(study: Open) -> None:
    """Versions, annotations, locator, mentions, labels and replies follow; others' posts stay."""
    a = author("weg_99")
    erasure = erase_author(study.held, {CASE: NAMES}, "mastodon", Sealed("weg_99"))
    assert (erasure.posts, erasure.mentions, erasure.locators) == (1, 1, 1)
    lotte = author("lotte-x")
    assert study.texts() == [
        "wie weet hier meer van", f"ja [PERSOON] dat zag ik ook, en [@{lotte}] ook", "ik zag niets",
    ]  # fmt: skip
    posts = study.posts()
    assert [p.reply_to for p in posts] == [None, None, None]
    assert [p.mentions for p in posts] == [(), (lotte,), ()]
    assert not [x for x in study.store.labels(CASE, [posts[0].thread]) if x.label == f"@{a}"]
    assert len([x for group in study.vault.of(CASE) for x in group]) == 3


def test_evidence_still_points_at_its_words(study: Open) -> None:
    """When a mention becomes shorter, spans behind it move along."""
    erase_author(study.held, {CASE: NAMES}, "mastodon", Sealed("weg_99"))
    (mark,) = study.store.annotations("c1")
    (text,) = [p.text for p in study.posts() if p.id == mark.post]
    assert text[mark.start : mark.end] == "dat zag"


def test_an_erased_author_does_not_come_back(study: Open) -> None:
    """The same posts are refused from then on, in this case and under any writing of the handle."""
    erase_author(study.held, {CASE: NAMES}, "mastodon", Sealed("weg_99"))
    again = [raw(2, WORDS, "weg_99"), raw(9, "ik ben terug", "@WEG_99"), raw(10, "dag weg_99", "b")]
    assert study.take(again)["skipped"] == 2
    assert author("weg_99") not in "".join(p.text + "".join(p.mentions) for p in study.posts())


def test_somebody_unknown_can_be_kept_out_beforehand(study: Open) -> None:
    """Who is erased before anything of hers was collected stays out of every case."""
    other = Pseudonyms(KEY.derive("case", "other", b"salt"))
    erase_author(study.held, {CASE: NAMES, "other": other}, "mastodon", Sealed("nooit_gezien"))
    assert study.store.suppressed("other") == {other.author("mastodon", Sealed("nooit_gezien"))}
    assert study.take([raw(20, "hallo", "nooit_gezien")])["skipped"] == 1


def test_she_is_found_by_any_name_that_is_hers_alone(study: Open) -> None:
    """Who asks by user name or display name is found, though the platform knows her by a number."""
    study.take(
        [
            raw(30, "eerste bericht hier", "user12345", aliases=("@Zeldzaam_88", "Sanne Kok"), thread="x"),
            raw(31, "tweede bericht hier", "user99", aliases=("Sanne Kok",), thread="y"),
        ]
    )
    with pytest.raises(Ambiguous):
        erase_author(study.held, {CASE: NAMES}, "mastodon", Sealed("sanne kok"))
    erasure = erase_author(study.held, {CASE: NAMES}, "mastodon", Sealed("zeldzaam_88"))
    assert erasure.posts == 1
    assert study.take([raw(32, "nog een", "user12345")])["skipped"] == 1


def test_one_post_can_be_erased(study: Open, tmp_path: Path) -> None:
    """Erasing a post leaves its author's others, and the post does not come back."""
    (post,) = [p.id for p in study.posts() if p.text == WORDS]
    assert erase_posts(study.held, CASE, [post]).proven
    assert WORDS.encode() not in bytes_below(tmp_path)
    assert study.take([raw(2, WORDS, "weg_99"), raw(11, "maar dit wel", "weg_99")]) == {
        "stored": 1, "edited": 0, "duplicates": 0, "skipped": 1,
    }  # fmt: skip


def test_files_that_hold_the_words_are_removed(study: Open, tmp_path: Path) -> None:
    """Whatever a study wrote with the erased words or names in it goes too; other files stay."""
    import polars as pl
    from openpyxl import Workbook

    out = tmp_path / "out"
    out.mkdir()
    words = WORDS.replace("woorden ", "<mark>woorden</mark>\n ")
    (out / "codebook.html").write_text(f"<p>{words}</p>")
    (out / "quotes.md").write_text("> … woorden over een gestolen bakfiets aan …\n")
    (out / "sample.csv").write_text(f'id,text\n1,"{author("weg_99")}"\n')
    (out / "other.html").write_text("<p>niets hiervan</p>")
    pl.DataFrame({"text": ["x", WORDS]}).write_parquet(out / "corpus.parquet")
    book = Workbook()
    book.active.append([WORDS])
    book.save(out / "sample.xlsx")
    erasure = erase_author(study.held, {CASE: NAMES}, "mastodon", Sealed("weg_99"))
    assert set(erasure.files) == {
        "out/codebook.html",
        "out/quotes.md",
        "out/sample.csv",
        "out/corpus.parquet",
        "out/sample.xlsx",
    }
    assert [p.name for p in out.iterdir()] == ["other.html"]


def test_the_proof_names_nobody(study: Open, tmp_path: Path) -> None:
    """The trail tells what was erased and that it is gone, and can be checked for a given person only."""
    erase_author(study.held, {CASE: NAMES}, "mastodon", Sealed("weg_99"))
    (line,) = [e for e in study.held.audit.entries() if e.event == "erase"]
    assert line.facts["kept_out"] == [study.held.audit.proof(author("weg_99"))]
    assert line.facts["proven"] is True
    assert line.facts["rows"]["post"] == 1
    assert author("weg_99") not in (tmp_path / "audit.jsonl").read_text()
    json.dumps(line.facts)


def test_a_restored_backup_is_cleaned(study: Open, tmp_path: Path) -> None:
    """What an older copy of the store brings back is erased again, by the proofs in the trail."""
    old = (tmp_path / "corpus.duckdb").read_bytes()
    erase_author(study.held, {CASE: NAMES}, "mastodon", Sealed("weg_99"))
    (tmp_path / "corpus.duckdb").write_bytes(old)
    study.store = Store(tmp_path / "corpus.duckdb", None)
    held = Holdings(study.store, study.vault, study.held.audit, tmp_path)
    assert WORDS in study.texts()
    assert obey_suppressions(held) == 1
    assert WORDS not in study.texts()
    assert author("weg_99") not in "".join(study.texts())
    assert study.store.suppressed(CASE) == {author("weg_99")}
    assert obey_suppressions(held) == 0


def test_removal_for_retention_keeps_nobody_out(study: Open) -> None:
    """What went because its time was over may come again."""
    (post,) = [p.id for p in study.posts() if p.text == WORDS]
    remove_posts(study.held, CASE, [post], why="retention")
    assert study.store.suppressed(CASE) == frozenset()
    assert study.take([raw(2, WORDS, "weg_99", created=START + timedelta(days=1))])["stored"] == 1


def test_offsets_move_with_shorter_labels() -> None:
    """Offsets before, within and behind a label that becomes `[PERSOON]`."""
    spans = [(5, 25)]
    assert [moved_offset(x, spans, last=False) for x in (0, 5, 10, 25, 30)] == [0, 5, 5, 14, 19]
    assert moved_offset(10, spans, last=True) == 14
