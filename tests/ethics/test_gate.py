"""The gate: what comes out, and that nothing is lost or doubled on the way."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from collectors import Mark, PlatformUnreachable, Sealed, Skip
from ethics.policy import Policy, Refused, Retention

from .entrance import NAMES, START, Study, raw


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return Study(tmp_path)


def author(handle: str) -> str:
    return NAMES.author("mastodon", Sealed(handle))


def test_a_mention_gets_the_authors_name(study: Study) -> None:
    """An author addressed by handle, with or without @, gets her own pseudonym, in text and mentions."""
    study.take(
        [
            raw(1, "Wie heeft dit gezien?", "speurneus_77"),
            raw(2, "@speurneus_77 ik niet", "lotte-x"),
            raw(3, "Vraag het Speurneus_77 eens", "lotte-x"),
        ]
    )
    a = author("speurneus_77")
    assert study.texts() == ["Wie heeft dit gezien?", f"[@{a}] ik niet", f"Vraag het [@{a}] eens"]
    assert [p.mentions for p in study.posts()] == [(), (a,), (a,)]


def test_a_mention_by_user_name_is_the_author_known_by_number(study: Study) -> None:
    """Where a platform knows authors by number and marks mentions by name, both are one."""
    study.take(
        [
            raw(1, "hoi", "user12345", aliases=("@zeldzaam_88",)),
            raw(2, "dag @Zeldzaam_88", "b", mentions=("zeldzaam_88",)),
        ]
    )
    a = author("user12345")
    assert (study.posts()[1].text, study.posts()[1].mentions) == (f"dag [@{a}]", (a,))


def test_an_author_is_known_by_display_name_and_first_name(study: Study) -> None:
    """The display name and its first name mean the author, as long as nobody else could be meant."""
    study.take(
        [
            raw(1, "Hallo allemaal", "user9", aliases=("Willemijn Terpstra",)),
            raw(2, "Dank je Willemijn Terpstra", "user10"),
            raw(3, "Groet aan Willemijn", "user10"),
        ]
    )
    a = author("user9")
    assert study.texts()[1:] == [f"Dank je [@{a}]", f"Groet aan [@{a}]"]


def test_the_same_name_gets_the_same_label_in_a_thread(study: Study) -> None:
    """`Jan de Vries` and then `Jan` are one label; with a second Jan the first name alone means neither."""
    study.take(
        [
            raw(1, "Dat was Jan de Vries, zeg ik."),
            raw(2, "Klopt, Jan was het."),
            raw(3, "Nee, het was Jan Bakker!"),
            raw(4, "Welke Jan dan, zeg ik."),
        ]
    )
    assert study.texts() == [
        "Dat was [PERSOON-1], zeg ik.",
        "Klopt, [PERSOON-1] was het.",
        "Nee, het was [PERSOON-2]!",
        "Welke [PERSOON-3] dan, zeg ik.",
    ]


def test_numbering_goes_on_in_a_later_run(study: Study) -> None:
    """A thread's labels are kept, so that a later run goes on from them; another thread starts anew."""
    study.take([raw(1, "Bel Jan de Vries")])
    study.take([raw(2, "Bel Kees Pietersen, niet Jan de Vries")])
    study.take([raw(3, "Bel Kees Pietersen", thread="andere")])
    assert study.texts() == ["Bel [PERSOON-1]", "Bel [PERSOON-2], niet [PERSOON-1]", "Bel [PERSOON-1]"]


def test_an_author_of_an_earlier_run_is_still_known(study: Study) -> None:
    """Only digests are left of an author's names after a run, and they are enough."""
    study.take([raw(1, "hoi", "bitterbalbaas", aliases=("Willemijn Terpstra",))])
    study.take([raw(2, "volgens bitterbalbaas of willemijn terpstra klopt dat niet", "ander")])
    a = author("bitterbalbaas")
    assert study.texts()[1] == f"volgens [@{a}] of [@{a}] klopt dat niet"


def test_the_same_words_again_are_a_duplicate(study: Study) -> None:
    """A second import stores nothing new, even where the first one knew fewer names; an edit is a version."""
    items = [raw(1, "die bitterbalbaas weet het", "a"), raw(2, "Ja toch?", "bitterbalbaas")]
    assert study.take(items[:1])["stored"] == 1
    assert study.take(items) == {"stored": 1, "edited": 0, "duplicates": 1, "skipped": 0}
    assert study.take([raw(1, "die weet het niet", "a")])["edited"] == 1


def test_read_is_stored_and_duplicates_and_skipped(study: Study) -> None:
    """Every item is stored, a duplicate, or skipped for a named reason."""
    items = [
        raw(1, "een"),
        raw(1, "een"),
        raw(2, " \n"),
        raw(3, "", media=("photo",)),
        Skip("service message"),
    ]
    admissions = list(study.admit(items))
    skipped = sum((a.skipped for a in admissions), Counter())
    assert skipped == {"empty": 1, "service message": 1}
    assert sum(len(a.batch.posts) for a in admissions) == 3
    assert study.take(items) == {"stored": 2, "edited": 0, "duplicates": 1, "skipped": 2}


def test_the_cursor_comes_with_the_posts_before_it(study: Study) -> None:
    """Each mark ends a batch that carries it encrypted; what follows waits for the next."""
    items = [raw(1, "een"), Mark(Sealed('{"after": "t3_1"}'), {"asked": 1}), raw(2, "twee")]
    first, second = study.admit(items)
    assert (len(first.batch.posts), len(second.batch.posts)) == (1, 1)
    assert first.counts == {"asked": 1}
    assert second.batch.cursor is None
    assert first.batch.cursor is not None
    assert b"t3_1" not in first.batch.cursor
    assert study.seal.open(first.batch.cursor).reveal() == '{"after": "t3_1"}'


def test_what_came_before_a_failure_is_kept(study: Study) -> None:
    """A platform that breaks off loses nothing that it gave, and the failure is passed on."""

    def items():
        yield raw(1, "een")
        raise PlatformUnreachable("no answer")

    with pytest.raises(PlatformUnreachable):
        study.take(items())
    assert study.texts() == ["een"]


def test_who_is_suppressed_stays_out(study: Study) -> None:
    """Posts of a suppressed author are counted and dropped; others' mentions of her become a plain label."""
    out = {author("weg_99")}
    items = [raw(1, "hier ben ik", "weg_99"), raw(2, "dag @weg_99", "b", mentions=("weg_99",), reply_to="1")]
    (admission,) = study.admit(items, suppressed=out)
    assert admission.skipped == {"suppressed": 1}
    (post,) = admission.batch.posts
    assert (post.text, post.mentions) == ("dag [PERSOON]", ())
    assert not [x for x in admission.batch.labels if x.label[1:] in out]


def test_disclosures_are_types_and_counts(study: Study) -> None:
    """What stood there is told by type and number; an author who is addressed is not disclosed."""
    study.take(
        [
            raw(
                1,
                "Zijn nummer is 06-12345678 of 06 87654321, mail jan@voorbeeld.nl, vraag @lotte-x",
                "p",
                mentions=("lotte-x",),
            ),
        ]
    )
    (post,) = study.posts()
    assert [(d.type, d.count) for d in post.disclosures] == [("EMAIL", 1), ("PHONE", 2)]


def test_brackets_do_not_smuggle_a_name_through(study: Study) -> None:
    """A handle in brackets is no label of ours."""
    study.take([raw(1, "kijk [@jandevries88] dan", mentions=("jandevries88",))])
    assert "jandevries88" not in study.texts()[0]


def test_nothing_is_let_in_without_approval(study: Study) -> None:
    """The gate itself asks the protocol, whoever calls it."""
    with pytest.raises(Refused, match="ethics approval"):
        study.take([raw(1, "een")], policy=Policy(retention=Retention(days=3)))


def test_times_and_odd_fields_are_made_plain(study: Study) -> None:
    """Times become UTC; fields that could hold content hold only plain words."""
    odd = raw(
        1,
        "x\x00\ud800y",
        created=START.astimezone(),
        media=("Jan de Vries.jpg", "photo"),
        language="Jan de Vries",
        kind="x",
    )
    study.take([odd])
    (post,) = study.posts()
    assert (post.text, post.media, post.language, post.kind) == (
        "x\ufffd\ufffdy",
        ("other", "photo"),
        None,
        "post",
    )
    assert post.created == START + timedelta(minutes=0)
