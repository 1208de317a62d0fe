"""The gate: the only way from a collector into the store. `RawPost` goes in, `Post` comes out."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from collectors import CollectorError, Item, Mark, RawPost, Sealed, Skip
from storage import Batch, Disclosure, Label, Post, Pseudonym
from storage.vault import Locator

from .evidence import Evidence, recalled
from .labels import ThreadLabels
from .permits import permit
from .policy import Policy
from .protect import Protected, disarmed, replace_found, spread
from .pseudonyms import Pseudonyms
from .redaction import Found, Redactor
from .redaction.found import settle

Kept = Callable[[list[Pseudonym]], list[Label]]
Suppressed = Collection[str] | Callable[[], Collection[str]]

LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
KINDS = frozenset(("post", "interview", "document"))
PLAIN_WORDS = re.compile(r"(?=.{2,60}$)(?:[a-z]+(?:'s)?|[A-Z]{2,5})(?:,?[ -](?:[a-z]+(?:'s)?|[A-Z]{2,5}))*")
"""What a media kind, a count or the reason of a skip may look like; anything else could be content."""
ERASED = "PERSOON"
THREADS_IN_MEMORY = 1000


@dataclass(frozen=True, slots=True)
class Admission:
    """
    What goes into store and vault together, and what was left out.

    `skipped` counts items by reason; every item read is in `batch.posts` or counted there. `counts` is what
    the platform reported.
    """

    batch: Batch
    locators: tuple[Locator, ...] = ()
    skipped: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)


def admit(
    items: Iterable[Item],
    *,
    case: str,
    source: str,
    run: str,
    policy: Policy,
    names: Pseudonyms,
    redactor: Redactor,
    labels: Kept,
    suppressed: Suppressed,
    seal: Callable[[Sealed], bytes],
    batch_size: int = 500,
    locate: Collection[str] | None = None,
) -> Iterator[Admission]:
    """
    Let posts into a case, in batches that each hold together with the cursor behind them.

    Store each admission before asking for the next: `labels` (what the store knows of threads) and
    `suppressed` (pseudonyms that must stay out) are asked anew for each batch. `locate` names the platforms of
    which native ids are kept for a later refresh (None: all). A CollectorError is passed on after what came
    before it. Raises Refused for a platform that the policy does not allow.
    """
    gate = _Gate(case, source, run, policy, names, redactor, labels, suppressed, locate)
    waiting = _Waiting()
    failure: CollectorError | None = None
    try:
        for item in items:
            waiting.take(item)
            if isinstance(item, Mark) or len(waiting.posts) >= batch_size:
                cursor = seal(item.cursor) if isinstance(item, Mark) and item.cursor is not None else None
                yield gate.pass_through(waiting, cursor)
                waiting = _Waiting()
    except CollectorError as error:
        failure = error
    if waiting:
        yield gate.pass_through(waiting, None)
    if failure is not None:
        raise failure


def in_its_thread(post: RawPost, locators: Iterable[Locator]) -> RawPost:
    """*post*, as a refresh got it alone, in the thread in which it was collected."""
    native = post.id.reveal()
    thread = next((x.thread for x in locators if x.native == native), "")
    return replace(post, thread=Sealed(thread)) if thread else post


@dataclass(slots=True)
class _Waiting:
    """What came in since the last batch."""

    posts: list[RawPost] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)

    def __bool__(self) -> bool:
        return bool(self.posts or self.skipped or self.counts)

    def take(self, item: Item) -> None:
        if isinstance(item, RawPost):
            self.posts.append(item)
        elif isinstance(item, Skip):
            self.skipped[_plain(item.reason)] += 1
        else:
            for what, n in item.counts.items():
                self.counts[_plain(what)] += n


@dataclass(frozen=True, slots=True)
class _Guest:
    """A raw post at the gate, with the names it will have."""

    raw: RawPost
    text: str
    id: Pseudonym
    author: Pseudonym
    thread: Pseudonym
    scope: str


@dataclass(slots=True)
class _Gate:
    case: str
    source: str
    run: str
    policy: Policy
    names: Pseudonyms
    redactor: Redactor
    kept: Kept
    suppressed: Suppressed
    locate: Collection[str] | None
    evidence: OrderedDict[Pseudonym, Evidence] = field(default_factory=OrderedDict)
    permitted: set[str] = field(default_factory=set)
    aliases: list[Label] = field(default_factory=list)
    called: set[tuple[Pseudonym, str]] = field(default_factory=set)

    def pass_through(self, waiting: _Waiting, cursor: bytes | None) -> Admission:
        """One batch through the gate."""
        out = frozenset(self.suppressed() if callable(self.suppressed) else self.suppressed)
        guests = [self._guest(raw) for raw in waiting.posts]
        skipped = Counter(waiting.skipped)
        threads = self._threads(guests)
        admitted = []
        for guest in guests:
            reason = _reason_to_skip(guest, out)
            if reason:
                skipped[reason] += 1
            else:
                admitted.append(guest)
        found = self._find(admitted, threads)
        posts = tuple(self._post(g, f, threads, out) for g, f in zip(admitted, found, strict=True))
        new = tuple(x for t in threads.values() for x in t.new if x.label[1:] not in out)
        new += tuple(x for x in self.aliases if x.thread not in out)
        self.aliases.clear()
        locators = tuple(self._locator(g) for g in admitted if self.locate is None or g.raw.platform in self.locate)
        return Admission(Batch(self.case, self.source, posts, new, cursor), locators, skipped, waiting.counts)

    def _guest(self, raw: RawPost) -> _Guest:
        if raw.platform not in self.permitted:
            permit(self.policy, platform=raw.platform, private=False, live=False)
            self.permitted.add(raw.platform)
        thread = raw.thread or raw.reply_to or raw.id
        return _Guest(
            raw, _storable(raw.text.reveal()), self.names.post(raw.platform, raw.id),
            self.names.author(raw.platform, raw.author), self.names.thread(raw.platform, thread),
            self.names.scope(raw.platform, thread),
        )  # fmt: skip

    def _threads(self, guests: Sequence[_Guest]) -> dict[Pseudonym, ThreadLabels]:
        """The labels of all threads of the batch; first all its authors and mentions become known there."""
        ids = list(dict.fromkeys(g.thread for g in guests))
        kept: dict[Pseudonym, list[Label]] = defaultdict(list)
        for label in self.kept(ids) if ids else ():
            kept[label.thread].append(label)
        scopes = {g.thread: g.scope for g in guests}
        threads = {t: ThreadLabels.of(t, partial(self.names.digest, scopes[t]), kept[t]) for t in ids}
        for guest in guests:
            known = self._evidence(guest.thread).add(x.reveal() for x in (guest.raw.author, *guest.raw.aliases))
            threads[guest.thread].add_author(guest.author, known)
            self._also_called(guest, known)
        for guest in guests:
            for mention in guest.raw.mentions:
                known = self._evidence(guest.thread).add([mention.reveal()])
                threads[guest.thread].add_author(self._mentioned(guest, mention, threads), known)
        return threads

    def _also_called(self, guest: _Guest, known: Iterable[str]) -> None:
        """The author's names in the whole case, so that who asks for erasure by any of them is found."""
        for name in known:
            digest = self.names.alias(guest.raw.platform, name)
            if (guest.author, digest) not in self.called:
                self.called.add((guest.author, digest))
                self.aliases.append(Label(guest.author, digest, f"@{guest.author}"))

    def _mentioned(self, guest: _Guest, mention: Sealed, threads: dict[Pseudonym, ThreadLabels]) -> Pseudonym:
        """Who is meant: an author of the thread who has this name, else whoever has this handle."""
        known = threads[guest.thread].author_named(mention.reveal())
        return known or self.names.author(guest.raw.platform, mention)

    def _evidence(self, thread: Pseudonym) -> Evidence:
        """The names of a thread's authors as far as this run has met them; the longest unused are dropped."""
        evidence = self.evidence.pop(thread, None) or Evidence()
        self.evidence[thread] = evidence
        if len(self.evidence) > THREADS_IN_MEMORY:
            self.evidence.popitem(last=False)
        return evidence

    def _find(self, guests: Sequence[_Guest], threads: dict[Pseudonym, ThreadLabels]) -> list[list[Found]]:
        texts = [disarmed(g.text) for g in guests]
        context = [self._evidence(g.thread).known() for g in guests]
        found = self.redactor.find_many(texts, context)
        out = []
        for guest, text, finds in zip(guests, texts, found, strict=True):
            more = recalled(text, threads[guest.thread])
            out.append(spread(text, settle(text, [*finds, *more]) if more else finds))
        return out

    def _post(
        self, guest: _Guest, found: list[Found], threads: dict[Pseudonym, ThreadLabels], out: frozenset[str]
    ) -> Post:
        def label(kind: str, value: str) -> str:
            given = threads[guest.thread].label(kind, value)
            return ERASED if given[1:] in out else given

        raw, protected = guest.raw, replace_found(guest.text, found, label)
        marked = [self._mentioned(guest, m, threads) for m in raw.mentions]
        reply_to = self.names.post(raw.platform, raw.reply_to) if raw.reply_to else None
        return Post(
            id=guest.id,
            case=self.case,
            platform=raw.platform,
            source=self.source,
            author=guest.author,
            text=protected.text,
            thread=guest.thread,
            created=raw.created.astimezone(UTC),
            collected_at=datetime.now(UTC),
            reply_to=None if reply_to in out else reply_to,
            mentions=_mentions(guest.author, marked, protected, out),
            edited=raw.edited.astimezone(UTC) if raw.edited else None,
            language=raw.language if raw.language and LANGUAGE.fullmatch(raw.language) else None,
            kind=raw.kind if raw.kind in KINDS else "post",
            media=tuple(map(_plain, raw.media)),
            disclosures=_disclosures(protected),
            run=self.run,
            digest=self.names.fingerprint(guest.text),
        )

    def _locator(self, guest: _Guest) -> Locator:
        thread = guest.raw.thread.reveal() if guest.raw.thread else ""
        return Locator(guest.id, self.case, self.source, guest.raw.platform, guest.raw.id.reveal(), thread)


def _plain(words: str) -> str:
    return words if PLAIN_WORDS.fullmatch(words) else "other"


def _reason_to_skip(guest: _Guest, out: frozenset[str]) -> str:
    if guest.author in out or guest.id in out:
        return "suppressed"
    return "" if guest.text.strip() or guest.raw.media else "empty"


def _mentions(
    author: Pseudonym, marked: Iterable[Pseudonym], protected: Protected, out: frozenset[str]
) -> tuple[Pseudonym, ...]:
    """Whom the post addresses, each once: as the platform marked it, then as named in the text."""
    named = (Pseudonym(s.label[2:-1]) for s in protected.spans if s.label.startswith("[@"))
    return tuple(dict.fromkeys(m for m in (*marked, *named) if m != author and m not in out))


def _disclosures(protected: Protected) -> tuple[Disclosure, ...]:
    """How much of which type stood there; an author who is addressed is not disclosed."""
    told = Counter(s.type for s in protected.spans if not s.label.startswith("[@"))
    return tuple(Disclosure(kind, n) for kind, n in sorted(told.items()))


UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def _storable(text: str) -> str:
    """*text* as Unicode that a file can hold: halves of pairs and NUL become the replacement character."""
    return UNSTORABLE.sub("\ufffd", text.replace("\r\n", "\n"))
