"""Topics: the same in any order, stable where there is something to find, never from labels or names."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from coding import Unit, load_codebook
from coding.coders import topics as coder
from coding.failures import TopicsError
from storage import Post, Pseudonym

SUBJECTS = {
    "tuin": "planten tuin snoeien heg grasmaaier compost bloembollen gieter",
    "inbraak": "inbreker schuur slot geforceerd deurbel camera buurman nacht",
    "oplichter": "rekening bank pinpas code telefoontje oplichter spaargeld overmaken",
    "zitting": "rechter zitting officier straf vonnis advocaat bewijs hoger",
}


def post(n: int, text: str) -> Post:
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    return Post(
        Pseudonym(f"p{n:04d}"), "c", "reddit", "s", Pseudonym(f"a{n % 40}"), text, Pseudonym(f"t{n}"), moment, moment
    )


def talk(n: int, seed: int = 2) -> list[Post]:
    rng = random.Random(seed)
    posts = []
    for i in range(n):
        words = SUBJECTS[list(SUBJECTS)[i % 4]].split()
        posts.append(post(i, f"Ik heb {' '.join(rng.sample(words, 5))} gezien bij [PERSOON-1] in de [ADRES-2]"))
    return posts


def test_topics_are_the_same_in_any_order() -> None:
    """Shuffled posts give the same topics, words, members and stabilities."""
    posts = talk(120)
    mixed = random.Random(9).sample(posts, len(posts))
    few = coder.Settings(seeds=3, topics=4)
    assert coder.find_topics(posts, few) == coder.find_topics(mixed, few)


def test_plain_subjects_are_found_and_stable() -> None:
    """Four subjects with words of their own become four topics that every seed finds again."""
    found = coder.find_topics(talk(160), coder.Settings(seeds=10, topics=4))
    assert (found.method, found.posts, len(found.topics)) == ("nmf", 160, 4)
    assert all(t.same_posts > 0.8 and t.same_words > 0.8 for t in found.topics)
    subjects = {next(s for s, words in SUBJECTS.items() if t.words[0] in words.split()) for t in found.topics}
    assert subjects == set(SUBJECTS)
    assert sum(len(t.posts) for t in found.topics) + found.left == 160


def test_noise_is_not_stable() -> None:
    """Where posts are drawn by lot from one bag of words, seeds disagree, and the figures say so."""
    rng = random.Random(4)
    bag = " ".join(SUBJECTS.values()).split()
    posts = [post(n, " ".join(rng.sample(bag, 6))) for n in range(160)]
    found = coder.find_topics(posts, coder.Settings(seeds=6, topics=8))
    assert sum(t.same_posts for t in found.topics) / len(found.topics) < 0.6


def test_labels_and_function_words_describe_no_topic() -> None:
    """What stands where a person stood is no subject, nor are `ik`, `heb` and `de`."""
    assert (
        coder.content("Ik heb [PERSOON-1] in de [ADRES-2] met 06-12345678 gezien, zie www.voorbeeld.nl") == "gezien zie"
    )
    found = coder.find_topics(talk(80), coder.Settings(seeds=2, topics=4))
    assert not {w for t in found.topics for w in t.words} & {"persoon", "adres", "heb", "ik", "de"}


def test_too_few_posts_are_no_corpus() -> None:
    """Below twenty posts with words there is nothing to find, and the message says how many there were."""
    with pytest.raises(TopicsError, match="there are 19"):
        coder.find_topics([*talk(19), post(99, "[LINK-1]")], coder.Settings())


def test_as_a_coder_it_marks_each_post_with_its_topic() -> None:
    """The coder protocol holds: one tuple a unit, in order, a post in the topic that lists it."""
    posts = talk(60)
    chosen = coder.Settings(seeds=2, topics=4)
    marks = list(coder.code((Unit(p) for p in posts), load_codebook(), chosen))
    place = {p: f"topic.{t.number}" for t in coder.find_topics(posts, chosen).topics for p in t.posts}
    assert [m[0].code if m else None for m in marks] == [place.get(p.id) for p in posts]


@pytest.mark.slow
def test_bertopic_finds_them_too() -> None:
    """BERTopic over TF-IDF and SVD, twice: the same topics, and the four subjects among them."""
    pytest.importorskip("bertopic")
    chosen = coder.Settings(seeds=2, method="bertopic", smallest=20)
    found = coder.find_topics(talk(240), chosen)
    assert found == coder.find_topics(talk(240)[::-1], chosen)
    assert {s for s, words in SUBJECTS.items() for t in found.topics if t.words[0] in words.split()} == set(SUBJECTS)
