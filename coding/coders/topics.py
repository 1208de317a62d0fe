"""
The topic coder: what the posts of a case are about before any code is given, and how stable that is.

From about a thousand posts on, BERTopic (UMAP, HDBSCAN, class-based TF-IDF); below that, non-negative
matrix factorisation. Words come from redacted text without its labels. The same posts give the same topics,
in whatever order they come. Nothing is saved by pickle; nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, Field

from coding import Codebook, Mark, Unit
from coding._embeddings import embedder
from coding._words import tokens
from coding.failures import TopicsError
from storage import Post

if TYPE_CHECKING:
    from numpy.typing import NDArray

VERSION = "topics.v1"
BERTOPIC_FROM = 1_000
LISTED = 10
"""How many words describe a topic, and are compared between seeds."""
RESTARTS = 3
SHARE = 0.8
"""The share of the posts that each seed but the first sees: a topic that hangs on a few posts shows."""
FAINT = 0.05
"""A word below this share of a topic's loudest word does not describe it."""


class Settings(BaseModel, extra="forbid", frozen=True):
    """
    `seeds` runs are compared; the first gives the topics. `topics` fixes their number for factorisation
    (0: about the root of a quarter of the posts, 4 to 25). `smallest` is the least size of a BERTopic topic
    (0: one in a hundred, at least 10). `embeddings` is the folder of a local sentence-transformers model;
    empty means TF-IDF with SVD.
    """

    seeds: int = Field(default=10, ge=2, le=100)
    topics: int = Field(default=0, ge=0, le=200)
    smallest: int = Field(default=0, ge=0)
    method: str = Field(default="auto", pattern="^(auto|bertopic|nmf)$")
    embeddings: str = ""
    examples: int = Field(default=3, ge=0, le=10)


@dataclass(frozen=True, slots=True)
class Topic:
    """
    One topic: its words, the posts in it (the most typical first), and its stability over seeds.

    `same_posts` and `same_words` are mean Jaccard similarities (0..1) with the best matching topic of each
    other seed, which saw four fifths of the posts. A topic below about 0.6 is a whim of the start, or hangs on
    a few posts: no finding.
    """

    number: int
    words: tuple[str, ...]
    posts: tuple[str, ...]
    authors: int
    same_posts: float
    same_words: float


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of a corpus, largest first; `left` counts the posts that belong to none."""

    method: str
    seeds: int
    posts: int
    left: int
    topics: tuple[Topic, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """One seed: the documents it saw, the topic of each (-1 none), how typical it is of it, and each topic's words."""

    seen: NDArray[np.intp]
    labels: NDArray[np.intp]
    weight: NDArray[np.float64]
    words: tuple[tuple[str, ...], ...]


def find_topics(posts: Iterable[Post], settings: Settings) -> Topics:
    """The topics of *posts*; TopicsError when fewer than twenty have words enough."""
    held = sorted(((p.id, p.author, content(p.text)) for p in posts), key=lambda row: (row[2], row[0]))
    held = [row for row in held if row[2].count(" ") >= 1]
    if len(held) < 20:
        msg = f"topics need at least 20 posts of two or more content words; there are {len(held)}"
        raise TopicsError(msg)
    documents = [text for _, _, text in held]
    method = settings.method
    if method == "auto":
        method = "bertopic" if len(held) >= BERTOPIC_FROM else "nmf"
    runs = list(_bertopic(documents, settings) if method == "bertopic" else _factorised(documents, settings))
    topics = _described(runs, [i for i, _, _ in held], [a for _, a, _ in held])
    return Topics(method, settings.seeds, len(held), int((runs[0].labels < 0).sum()), topics)


def code(units: Iterable[Unit], codebook: Codebook, settings: Settings) -> Iterator[tuple[Mark, ...]]:
    """One mark `topic.N` a unit, or none; the whole corpus is read first, for a topic is a thing of the whole."""
    posts = [unit.post for unit in units]
    found = find_topics(posts, settings)
    place = {post: t for t in found.topics for post in t.posts}
    for post in posts:
        topic = place.get(post.id)
        yield (Mark(f"topic.{topic.number}", topic.same_posts, rule=" ".join(topic.words)),) if topic else ()


@cache
def stopwords() -> frozenset[str]:
    """Dutch function words, which no topic is about."""
    lines = (files("coding.models") / "stopwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("#"))


def content(text: str) -> str:
    """The content words of *text* in their normal form: no labels, numbers, signs or function words."""
    words = [t.form for t in tokens(text) if t.kind == "word"]
    return " ".join(w for w in words if len(w) > 2 and w.isalpha() and w not in stopwords())


def _factorised(documents: Sequence[str], settings: Settings) -> Iterator[_Run]:
    """Non-negative matrix factorisation of TF-IDF, each seed on documents and from random starts of its own."""
    from sklearn.decomposition import NMF
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(min_df=2, max_df=0.5, sublinear_tf=True)
    x = vectors.fit_transform(documents)
    names = vectors.get_feature_names_out()
    number = settings.topics or max(4, min(25, round((len(documents) / 4) ** 0.5)))
    number = min(number, x.shape[1], len(documents))
    for seed in range(settings.seeds):
        seen = _seen(len(documents), seed)
        # One random start may end in a poor place: the best of three speaks for its seed.
        tries = [
            NMF(number, init="random", random_state=3 * seed + k, max_iter=1000, tol=1e-3) for k in range(RESTARTS)
        ]
        fitted = [(model, model.fit_transform(x[seen])) for model in tries]
        model, found = min(fitted, key=lambda pair: pair[0].reconstruction_err_)
        parts = model.components_
        loads = found * np.linalg.norm(parts, axis=1)
        weight = loads.max(axis=1)
        labels = np.where(weight > 0, loads.argmax(axis=1), -1)
        order = np.argsort(-parts, axis=1, kind="stable")[:, :LISTED]
        words = tuple(
            tuple(names[i] for i in row if p[i] > FAINT * p.max()) for row, p in zip(order, parts, strict=True)
        )
        yield _Run(seen, labels, weight, words)


def _bertopic(documents: Sequence[str], settings: Settings) -> Iterator[_Run]:
    """BERTopic with its own UMAP arguments; the start of UMAP and the documents seen differ between seeds."""
    try:
        from bertopic import BERTopic
        from hdbscan import HDBSCAN
        from umap import UMAP
    except ImportError:
        msg = "BERTopic is not installed here (veldwerk doctor); --method nmf needs nothing more"
        raise TopicsError(msg) from None
    from sklearn.feature_extraction.text import CountVectorizer

    vectors = _embedded(documents, settings)
    smallest = settings.smallest or max(10, len(documents) // 100)
    for seed in range(settings.seeds):
        seen = _seen(len(documents), seed)
        model = BERTopic(
            embedding_model=None, min_topic_size=smallest,
            umap_model=UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed, n_jobs=1),
            hdbscan_model=HDBSCAN(min_cluster_size=smallest, prediction_data=False, core_dist_n_jobs=1),
            vectorizer_model=CountVectorizer(min_df=1), calculate_probabilities=False,
        )  # fmt: skip
        labels, chances = model.fit_transform([documents[i] for i in seen], embeddings=vectors[seen])
        found = sorted(set(labels) - {-1})
        words = tuple(tuple(w for w, _ in model.get_topic(t)[:LISTED]) for t in found)
        place = {t: n for n, t in enumerate(found)}
        numbers = np.array([place.get(t, -1) for t in labels], dtype=np.intp)
        yield _Run(seen, numbers, np.asarray(chances, dtype=float), words)


def _seen(documents: int, seed: int) -> NDArray[np.intp]:
    """The documents of a seed: all for the first, four fifths drawn by lot for the others."""
    if seed == 0:
        return np.arange(documents)
    return np.sort(np.random.default_rng(seed).choice(documents, round(SHARE * documents), replace=False))


def _embedded(documents: Sequence[str], settings: Settings) -> NDArray[np.float32]:
    """One vector a document: from the configured local sentence model, else TF-IDF with SVD, of length 1."""
    if settings.embeddings:
        return embedder(settings.embeddings)(documents)
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    x = TfidfVectorizer(min_df=2, max_df=0.5, sublinear_tf=True).fit_transform(documents)
    vectors = TruncatedSVD(min(100, x.shape[1] - 1), random_state=0).fit_transform(x)
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1), dtype=np.float32)


def _described(runs: Sequence[_Run], posts: Sequence[str], authors: Sequence[str]) -> tuple[Topic, ...]:
    """The topics of the first run, each with its mean best match in the others."""
    first, others = runs[0], runs[1:]
    made = []
    for n, words in enumerate(first.words):
        members = np.flatnonzero(first.labels == n)
        if len(members):
            order = members[np.lexsort((members, -first.weight[members]))]
            alike = [_best(set(members.tolist()), set(words), run) for run in others]
            same_posts, same_words = (float(np.mean([a[i] for a in alike])) for i in (0, 1))
            writers = len({authors[int(i)] for i in members})
            made.append((words, tuple(posts[int(i)] for i in order), writers, same_posts, same_words))
    made.sort(key=lambda t: (-len(t[1]), t[0]))
    return tuple(Topic(n + 1, *row) for n, row in enumerate(made))


def _best(members: set[int], words: set[str], run: _Run) -> tuple[float, float]:
    """Jaccard of posts that both saw, and of words, with the topic of *run* that shares the most posts."""
    best, best_words = 0.0, 0.0
    members = members & set(run.seen.tolist())
    for n, other in enumerate(run.words):
        theirs = set(run.seen[run.labels == n].tolist())
        alike = jaccard(members, theirs)
        if alike > best:
            best, best_words = alike, jaccard(words, set(other))
    return best, best_words


def jaccard(a: set[Any], b: set[Any]) -> float:
    """Shared by united; 0 for two empty sets."""
    return len(a & b) / len(a | b) if a | b else 0.0
