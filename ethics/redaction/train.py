"""
Train the name model:  python -m ethics.redaction.train TEXTS.jsonl ...

Needs Faker and python-crfsuite. A line of TEXTS is {"text", "pii": [{"text", "type"}]}; every occurrence of a span's
text counts. Each post is copied several times with other names in the place of its own, in lower case, with dropped
capitals, typos and chat spellings. The weights of several seeds are averaged.
"""

from __future__ import annotations

import importlib
import json
import random
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pycrfsuite

from . import redactor
from .crf import Floats, Model
from .found import Found, settle
from .gather import flatten
from .lexicon import FIRST, FIRST_FAR, LAST, LAST_FAR, Lexicon, shipped
from .names import FILE, with_phrases
from .reading import MASKS, PHRASE, read
from .words import INTERFIX, TITLE, TOKEN, Describer, NameShape, Word, kind, post_features

SEEDS = (7, 8, 9)
LABELS = ("O", "B-PER", "I-PER", "ADDR")
Example = list[tuple[str, str]]
"""(token, label) of one post."""


@dataclass(frozen=True, slots=True)
class Post:
    """A labelled text: spans are (start, end, type)."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    file: str


def read_posts(paths: Iterable[str]) -> list[Post]:
    """The posts of files of JSON lines."""
    posts = []
    for path in paths:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            spans: list[tuple[int, int, str]] = []
            for item in record["pii"]:
                text = re.escape(item["text"])
                words = re.finditer(rf"(?<![^\W_]){text}(?![^\W_])", record["text"])
                found = list(words) or list(re.finditer(text, record["text"]))
                spans += [(m.start(), m.end(), item["type"]) for m in found]
            posts.append(Post(record["text"], tuple(spans), Path(path).stem))
    return posts


def example(post: Post) -> Example:
    """The tokens of *post* with their labels; what patterns find is masked, as it will be at run time."""
    reading = read(post.text)
    fresh = settle(reading.plain, redactor.by_patterns([reading])[0])
    persons = [s for s in post.spans if s[2] == "PERSON"]
    kept = [f for f in fresh if not any(a < f.end and f.start < b for a, b, _ in persons)]
    reading = reading.masked(kept)
    out: Example = []
    before = None
    for m in TOKEN.finditer(reading.plain):
        where = reading.place(Found(m.start(), m.end(), "PERSON"))
        hit = next(
            (s for s in post.spans if s[2] in ("PERSON", "ADDRESS") and s[0] < where.end and where.start < s[1]),
            None,
        )
        if hit is None or m.group() in MASKS:
            label, hit = "O", None
        elif hit[2] == "ADDRESS":
            label, hit = "ADDR", None
        else:
            label = "I-PER" if hit == before else "B-PER"
        out.append((m.group(), label))
        before = hit
    return out


class Names:
    """Names to put in: Faker's, weighted to what is common here, and those of the training texts."""

    FIRST = {  # noqa: RUF012
        "nl_NL": 6, "nl_BE": 4, "tr_TR": 2, "fr_DZ": 2, "pl_PL": 1, "en_US": 1, "de_DE": 1, "fr_FR": 1, "en_IN": 1,
        "ro_RO": 1, "id_ID": 1, "es_ES": 1, "it_IT": 1, "en_PK": 1, "hr_HR": 1,
    }  # fmt: skip

    def __init__(self, posts: Sequence[Post], lexicon: Lexicon, rng: random.Random) -> None:
        self.rng, self.lexicon = rng, lexicon
        self.pools: list[tuple[list[str], list[str]]] = []
        for locale, weight in self.FIRST.items():
            provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
            first = [x for x in flatten(provider.first_names) if x.isalpha() or "-" in x]
            surnames = [a for a in dir(provider) if re.fullmatch(r"\w*last_names\w*", a)]
            last = [x for a in surnames for x in flatten(getattr(provider, a)) if len(x) > 1]
            self.pools += [(first, last)] * weight
        own = Path(__file__).parent / "lists"
        lists = [
            (own / f"{n}.txt").read_text(encoding="utf-8").split("\n")
            for n in ("first_names", "first_names_2", "surnames")
        ]
        self.pools += [([*filter(None, lists[0] + lists[1])], [*filter(None, lists[2])])] * 8
        seen = sorted({p.text[a:b] for p in posts for a, b, t in p.spans if t == "PERSON"})
        own_first = sorted({s.split()[0].capitalize() for s in seen if self.is_first(s.split()[0])})
        own_last = sorted({s.split()[-1] for s in seen if not self.is_first(s.split()[-1]) and len(s.split()[-1]) > 2})
        self.pools += [(own_first, own_last)] * 6

    def is_first(self, word: str) -> bool:
        return bool(self.lexicon.bits(word) & (FIRST | FIRST_FAR))

    def first(self) -> str:
        return self.rng.choice(self.rng.choice(self.pools)[0])

    def last(self) -> str:
        return self.rng.choice(self.rng.choice(self.pools)[1])

    def like(self, old: Sequence[str], after_title: bool) -> str:
        """A new name of the old one's form."""
        r = self.rng
        if len(old) == 1 and len(old[0].rstrip(".")) > 1:
            listed_last = bool(self.lexicon.bits(old[0]) & (LAST | LAST_FAR))
            surname = after_title or (listed_last and not self.is_first(old[0]))
            name = self.last() if surname != (r.random() < 0.1) else self.first()
            return name + r.choice(("tje", "ke", "ie", "s", "'s")) if r.random() < 0.04 and not surname else name
        out = []
        for i, word in enumerate(old):
            low = word.lower()
            if low in INTERFIX or not word[0].isalpha() or low.endswith("."):
                out.append(word)
            elif len(low) == 1:
                out.append(r.choice("ABCDEFGHJKLMNPRSTVWY"))
            elif i == 0 and self.is_first(low):
                out.append(self.first())
            else:
                new = self.last().split()[-1]
                out.append(new + "-" + self.last().split()[-1] if "-" in word else new)
        return " ".join(out)


def substitute(tokens: Example, names: Names) -> Example:
    """Other names in the place of the post's own."""
    out: Example = []
    i = 0
    while i < len(tokens):
        if tokens[i][1] != "B-PER":
            out.append(tokens[i])
            i += 1
            continue
        j = i + 1
        while j < len(tokens) and tokens[j][1] == "I-PER":
            j += 1
        old = [t[0] for t in tokens[i:j]]
        new = names.like(old, i > 0 and tokens[i - 1][0].lower().rstrip(".") in TITLE)
        if old[0].islower():
            new = new.lower()
        out += [(t, "B-PER" if k == 0 else "I-PER") for k, t in enumerate(TOKEN.findall(new.replace("’", "'")))]
        i = j
    return out


def typo(word: str, rng: random.Random) -> str:
    """A slip of the finger."""
    if len(word) < 4:
        return word
    i = rng.randrange(1, len(word) - 1)
    swapped = word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    longer = word[:-1] if word[-1] in "nt" else word + word[-1] * rng.randrange(1, 4)
    doubled = word[:i] + word[i] + word[i:]
    return rng.choice(
        (word[:i] + word[i + 1 :], doubled, swapped, longer, word[:i] + rng.choice("aeiou") + word[i + 1 :])
    )


CHAT = tuple(
    (re.compile(a), b)
    for a, b in (
        ("cht", "gt"), ("sch", "sg"), ("ij", "y"), ("ij", "ei"), ("ks|cs", "x"), ("en$", "e"), ("oo", "ow"),
        ("ee$", "eej"), ("^ik", "k"), ("^het", "t"), ("t$", ""), ("[aeiou](?=[nrl]$)", ""), ("c(?=[aou])", "k"),
        ("k", "q"),
        ("s$", "z"), ("lijk$", "lk"), ("z", "s"), ("v", "f"), ("aa", "a"), ("([aeiou])$", r"\1h"), ("isch", "ies"),
        ("ou", "au"), ("d(?=[aeiou])", "t"),
    )
)  # fmt: skip


def chat(word: str, rng: random.Random) -> str:
    """A word as chat spells it."""
    for _ in range(rng.randrange(1, 3)):
        fitting = [(a, b) for a, b in CHAT if a.search(word)]
        if fitting:
            pattern, new = rng.choice(fitting)
            word = pattern.sub(new, word, count=1) or word
    return word


def distort(tokens: Example, rng: random.Random) -> Example:
    """Lower case, dropped capitals of names, of sentences, all capitals; typos and chat spellings."""
    r = rng.random()
    rate = rng.choice((0, 0, 0.08, 0.2))
    slang = rng.choice((0, 0, 0.15, 0.4))
    title = rng.random() < 0.03
    out: Example = []
    for text, label in tokens:
        if kind(text) == "word":
            if rate and rng.random() < (rate if label == "O" else rate / 2):
                text = typo(text, rng)
            if slang and label == "O" and rng.random() < slang:
                text = chat(text, rng)
            if r < 0.38 or (r < 0.55 and label.endswith("PER")) or (0.5 < r < 0.62 and label == "O"):
                text = text.lower()
            elif r > 0.96:
                text = text.upper()
            elif title:
                text = text[:1].upper() + text[1:]
        out.append((text, label))
    return out


@dataclass(frozen=True, slots=True)
class Settings:
    """
    How to train. `copies` of each post with a person, `plain_copies` of others; `dropout` is the share of names that
    are hidden from the lists; `c1`, `c2` and `iterations` are those of L-BFGS in crfsuite.
    """

    copies: int = 8
    plain_copies: int = 2
    dropout: float = 0.25
    c1: float = 0.1
    c2: float = 0.05
    iterations: int = 90


class Training:
    """One run of training over *posts*: copies made and features written with one seed."""

    def __init__(self, posts: Sequence[Post], describer: Describer, seed: int, settings: Settings) -> None:
        self.posts, self.describer, self.settings = posts, describer, settings
        self.rng = random.Random(seed)
        self.names = Names(posts, describer.lexicon, self.rng)
        self.trainer = pycrfsuite.Trainer(verbose=False)
        self.cache: dict[tuple[str, bool], Word] = {}

    def add(self, tokens: Example, drop: float) -> None:
        people = sorted({t for t, label in tokens if label.endswith("PER")})
        hidden = {t for t in people if self.rng.random() < drop}
        marked = with_phrases([t for t, _ in tokens], self.describer.lexicon)
        words = [self.word(t, t.rstrip(PHRASE) in hidden) for t in marked]
        if tokens:
            self.trainer.append(post_features(marked, words), [label for _, label in tokens])

    def word(self, token: str, hide: bool) -> Word:
        found = self.cache.get((token, hide))
        if found is None:
            found = self.cache[token, hide] = self.describer.describe(token, hide)
        return found

    def run(self, path: str) -> None:
        """Train, and write crfsuite's own file to *path*."""
        how = self.settings
        for post in self.posts:
            tokens = example(post)
            person = any(label.endswith("PER") for _, label in tokens)
            self.add(tokens, how.dropout if person else 0)
            for _ in range(how.copies if person else how.plain_copies):
                self.add(distort(substitute(tokens, self.names), self.rng), how.dropout)
        options = {"feature.minfreq": 2, "feature.possible_transitions": True, "max_iterations": how.iterations}
        self.trainer.set_params({"c1": how.c1, "c2": how.c2, **options})
        self.trainer.train(path)


def export(path: str, names: NameShape) -> Model:
    """The weights of crfsuite's file at *path*."""
    tagger = pycrfsuite.Tagger()
    tagger.open(path)
    info = tagger.info()
    rows = {feature: i for i, feature in enumerate(sorted({f for f, _ in info.state_features}))}
    weights = np.zeros((len(rows), len(LABELS)), np.float32)
    for (feature, label), weight in info.state_features.items():
        weights[rows[feature], LABELS.index(label)] = weight
    transitions = np.zeros((len(LABELS), len(LABELS)), np.float32)
    for (a, b), weight in info.transitions.items():
        transitions[LABELS.index(a), LABELS.index(b)] = weight
    return Model(LABELS, rows, weights, transitions, names)


def average(models: Sequence[Model]) -> Model:
    """One model with the mean weights; a log-linear model's loss is convex, so the mean is as good as its parts."""
    keys = sorted({k for m in models for k in m.rows})
    weights = np.zeros((len(keys), len(LABELS)), np.float32)
    for m in models:
        places = [i for i, k in enumerate(keys) if k in m.rows]
        weights[places] += m.weights[[m.rows[keys[i]] for i in places]] / len(models)
    kept = np.flatnonzero(np.abs(weights).max(axis=1) > 0.005)
    rows = {keys[i]: n for n, i in enumerate(kept.tolist())}
    transitions: Floats = np.mean([m.transitions for m in models], axis=0, dtype=np.float32)
    return Model(LABELS, rows, weights[kept], transitions, models[0].names)


def train(
    posts: Sequence[Post], lexicon: Lexicon, names: NameShape, seeds: Sequence[int], settings: Settings | None = None
) -> Model:
    """The averaged model of several seeds."""
    models = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            path = str(Path(folder) / "model.crf")
            Training(posts, Describer(lexicon, names), seed, settings or Settings()).run(path)
            models.append(export(path, names))
    return average(models)


def main(paths: list[str]) -> None:
    """Train on the texts of *paths* and write the file that ships."""
    lexicon = shipped()
    model = train(read_posts(paths), lexicon, NameShape.of(lexicon), SEEDS)
    (Path(__file__).parent / FILE).write_bytes(model.pack())


if __name__ == "__main__":
    main(sys.argv[1:])
