"""One-way names: keyed, apart by case and kind, rotated and destroyed."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import Sealed
from ethics.audit import Trail
from ethics.keys import ProjectKey
from ethics.policy import Refused
from ethics.pseudonyms import PSEUDONYM, Pseudonyms, Salts
from ethics.rights import Holdings
from ethics.rotation import destroy, rotate
from storage import rights

from .entrance import CASE, KEY, NAMES, Study, raw

TEXT = st.text(min_size=1, max_size=30)


@given(TEXT)
def test_a_name_depends_on_key_case_platform_and_kind(value: str) -> None:
    """The same native value has unlike names in another case, platform, kind or project."""
    other_case = Pseudonyms(KEY.derive("case", "other", b"salt"))
    other_project = Pseudonyms(ProjectKey(bytes(range(1, 33))).derive("case", CASE, b"salt"))
    v = Sealed(value)
    names = [
        NAMES.author("reddit", v), NAMES.author("mastodon", v), NAMES.post("reddit", v), NAMES.thread("reddit", v),
        other_case.author("reddit", v), other_project.author("reddit", v),
        NAMES.digest("t1", value), NAMES.digest("t2", value),
    ]  # fmt: skip
    assert len({n[-16:] for n in names}) == len(names)
    assert all(PSEUDONYM.fullmatch(n) for n in names[:6])


@given(TEXT)
def test_a_name_is_no_plain_hash(value: str) -> None:
    """No unkeyed digest of the value is in its name."""
    name = NAMES.author("reddit", Sealed(value))[1:]
    for kind in ("md5", "sha1", "sha256"):
        digest = hashlib.new(kind, value.encode("utf-8", "surrogatepass")).digest()
        assert name not in base64.b32encode(digest).decode().lower()


@pytest.mark.parametrize(
    "writing",
    ["Jan_77", "@jan_77", "u/Jan_77", "/u/jan_77", " JAN_77 ", "@\u2068jan_77\u2069", "ｊａｎ_77", "@JAN_77"],
)
def test_a_handle_is_one_however_it_is_written(writing: str) -> None:
    """Case, @, u/, invisible marks and width make no other person."""
    assert NAMES.author("x", Sealed(writing)) == NAMES.author("x", Sealed("jan_77"))


@pytest.mark.parametrize("writing", ["+31 6 12345678", "0031612345678", "06-12345678", "31612345678", "@31612345678"])
def test_a_number_is_one_however_it_is_written(writing: str) -> None:
    """A telephone number that serves as a handle is the same in every writing."""
    assert NAMES.author("whatsapp", Sealed(writing)) == NAMES.author("whatsapp", Sealed("0612345678"))


def test_salts_are_made_once_and_kept(tmp_path: Path) -> None:
    """Two openings of a case give the same names; another home gives others."""
    first, again = (Pseudonyms.of(KEY, CASE, tmp_path).author("x", Sealed("a")) for _ in range(2))
    assert first == again
    assert Pseudonyms.of(KEY, CASE, tmp_path / "b").author("x", Sealed("a")) != first
    assert Salts(tmp_path, CASE).path.stat().st_mode & 0o077 == 0


@pytest.fixture
def study(tmp_path: Path) -> Study:
    made = Study(tmp_path, names=Pseudonyms.of(KEY, CASE, tmp_path))
    made.take(ITEMS)
    return made


ITEMS = [
    raw(1, "Jan de Vries van 06-12345678", "kees_1", aliases=("Willemijn Terpstra",)),
    raw(2, "@kees_1 die Jan? Dag Willemijn", "ander_2", reply_to="1"),
    raw(3, "los", "derde", thread="t2"),
]


def held(study: Study) -> Holdings:
    return Holdings(study.store, study.vault, Trail(study.root / "audit.jsonl", b"k" * 32), study.root)


def test_rotation_gives_everything_another_name(study: Study) -> None:
    """No old pseudonym is left anywhere; structure, labels, locators and annotations' texts are as they were."""
    before = study.posts()
    old = {x for p in before for x in (p.id, p.author, p.thread)}
    n = rotate(held(study), KEY, CASE)
    assert n > len(old)
    after = study.posts()
    new = {x for p in after for x in (p.id, p.author, p.thread)}
    assert not old & new
    assert rights.left_of(study.store, old, old) == {}
    assert rights.left_of(study.vault, old) == {}
    assert after[1].reply_to == after[0].id
    assert after[1].mentions == (after[0].author,)
    assert after[1].text == f"[@{after[0].author}] die [PERSOON-1]? Dag [@{after[0].author}]"
    assert {x.post for group in study.vault.of(CASE) for x in group} == {p.id for p in after}


def test_collection_goes_on_after_a_rotation(study: Study) -> None:
    """The same posts are duplicates, names keep their labels, and the suppressed stay out, under the new key."""
    with study.store.transaction() as db:
        rights.suppress(db, CASE, [study.names.author("mastodon", Sealed("weg"))])
    rotate(held(study), KEY, CASE)
    rotate(held(study), KEY, CASE)
    study.names = Pseudonyms.of(KEY, CASE, study.root)
    assert study.take(ITEMS) == {"stored": 0, "edited": 0, "duplicates": 3, "skipped": 0}
    study.take([raw(4, "Jan de Vries weer, en willemijn terpstra", "derde"), raw(5, "dag", "weg")])
    a = study.names.author("mastodon", Sealed("kees_1"))
    assert study.texts()[-1] == f"[PERSOON-1] weer, en [@{a}]"


def test_an_interrupted_rotation_is_finished(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    """When it breaks off half-way, collection is refused until it is run again, and then all is in step."""

    def broken(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(type(study.vault), "rewrite", broken)
        with pytest.raises(KeyboardInterrupt):
            rotate(held(study), KEY, CASE)
    with pytest.raises(Refused, match="half rotated"):
        Pseudonyms.of(KEY, CASE, study.root)
    rotate(held(study), KEY, CASE)
    study.names = Pseudonyms.of(KEY, CASE, study.root)
    assert study.take(ITEMS)["duplicates"] == 3
    assert {x.post for group in study.vault.of(CASE) for x in group} == {p.id for p in study.posts()}


def test_other_cases_are_left_alone(study: Study) -> None:
    """Rotating one case does not touch the names of another."""
    other = Study(study.root, "other", Pseudonyms.of(KEY, "other", study.root))
    other.take(ITEMS)
    before = other.posts()
    rotate(held(study), KEY, CASE)
    assert other.posts() == before


def test_a_destroyed_key_ends_linkability(study: Study) -> None:
    """Nothing of the salts is left, native ids are gone, the posts stay, and nothing can be added any more."""
    salts = [s.hex().encode() for s in Salts(study.root, CASE).read()]
    destroy(held(study), CASE)
    everything = b"".join(p.read_bytes() for p in study.root.rglob("*") if p.is_file())
    assert not any(s in everything for s in salts)
    assert study.vault.count(CASE) == 0
    assert len(study.posts()) == 3
    with pytest.raises(Refused, match="destroyed"):
        Pseudonyms.of(KEY, CASE, study.root)
