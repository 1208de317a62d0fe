"""Words are found in all their forms, phrases as they stand."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import Batch, Store
from storage.extensions import load
from storage.search import LETTER, find, form_of, roots_of

from .made import CASES, filled, post

TEXTS = (
    "Mijn fiets is gestolen, wie heeft fietsen gezien in de buurt?",
    "Ik loop hier elke dag, wij lopen ook 's nachts.",
    "De politie doet niets met aangiftes. Aangifte doen heeft geen zin!",
    "In de\nbuurt van het station; politie was er snel bij.",
    "Eén café, twee cafés, mogelijkheden genoeg. De waarheid over waarheden.",
    "[PERSOON-1] heet de dader, zegt [@abc].",
    "fiets fiets fiets fiets",
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "corpus.duckdb", None)
    store.add(Batch("all", "made", tuple(post(n * 4, text) for n, text in enumerate(TEXTS))))
    return store


def found(store: Store, query: str) -> list[int]:
    numbers = {post(n * 4).id: n for n in range(len(TEXTS))}
    return [numbers[hit.post.id] for hit in find(store, query).hits]


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("fiets", [6, 0]), ("FIETSEN", [6, 0]), ("lopen", [1]), ("loop", [1]), ("aangiften", [2]), ("cafe", [4]),
        ("café's", []), ("een", [4]), ("mogelijkheid", [4]), ("waarheid", [4]), ('"in de buurt"', [0, 3]),
        ('"de buurt in"', []), ("politie buurt", [3]), ("politie zeppelin", []), ("persoon dader", [5]),
        ("", []), ("?!", []), ('"', []), ("zin.*", [2]), ("aangiftes", [2]), ("gestolene", [0]),
    ],
)  # fmt: skip
def test_words_are_found_in_all_their_forms_and_phrases_as_they_stand(
    store: Store, query: str, where: list[int]
) -> None:
    """All words must be there in some form, accents or none; a quoted phrase word for word over any spacing."""
    assert sorted(found(store, query)) == sorted(where)


def test_the_post_that_is_most_about_it_comes_first(store: Store) -> None:
    """BM25: more often in fewer words weighs more."""
    assert found(store, "fiets") == [6, 0]


def test_a_hit_shows_where_its_words_stand(store: Store) -> None:
    """Spans cover exactly the words that were found, in the text as it is kept."""
    hit = find(store, 'aangifte "geen zin"').hits[0]
    assert [hit.post.text[s.start : s.end] for s in hit.spans] == ["aangiftes", "Aangifte", "geen zin"]


def test_only_current_versions_and_the_asked_case_are_searched(store: Store) -> None:
    """Words of an earlier version are not found, nor those of another case."""
    store.add(Batch("all", "made", (post(0, "niets meer"),)))
    assert found(store, "gestolen") == []
    assert find(store, "politie", CASES[0]).total == 2
    assert find(store, "politie", CASES[1]).total == 0


def test_the_limit_limits_what_is_shown_and_not_what_is_counted(tmp_path: Path) -> None:
    """The total counts all."""
    store = filled(tmp_path, 200)
    all_ = find(store, "fiets", limit=1000)
    assert len(all_.hits) == all_.total == sum("fiets" in p.text.split() for p in store.posts())
    few = find(store, "fiets", limit=3)
    assert (few.total, few.hits) == (all_.total, all_.hits[:3])


def test_a_form_covers_every_word_that_has_its_root() -> None:
    """For each word of the gold texts: the pattern made of each of its roots finds the word."""
    folder = files("demo") / "gold" / "train"
    lines = [line for f in folder.iterdir() if f.name.endswith(".jsonl") for line in f.read_text("utf-8").splitlines()]
    words = sorted({w for line in lines for w in re.findall(r"[a-z]{2,}", json.loads(line)["text"].lower())})
    with duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"}) as db:
        load(db, "fts")
        roots = roots_of(db, words)
    forms = {root: re.compile(form_of(root).replace(LETTER, r"\w")) for w in words for root in roots[w]}
    missed = [(w, root) for w in words for root in roots[w] if not forms[root].fullmatch(w)]
    assert len(words) > 3000
    assert missed == []


@settings(max_examples=25, deadline=None)
@given(query=st.text(alphabet=st.characters(codec="utf-8"), max_size=30))
def test_no_query_breaks_the_search(tmp_path_factory: pytest.TempPathFactory, query: str) -> None:
    """Whatever is typed is a question, never an error."""
    folder = tmp_path_factory.getbasetemp() / "searched"
    store = Store(folder / "corpus.duckdb", None)
    if not store.path.exists():
        store.add(Batch("all", "made", tuple(post(n, text) for n, text in enumerate(TEXTS))))
    told = find(store, query)
    assert 0 <= len(told.hits) <= told.total <= len(TEXTS)
