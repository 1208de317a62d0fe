"""Enter a quote in the register, judged before it is entered."""

from __future__ import annotations

from datetime import datetime

from ethics.release import check_paraphrase, check_quote, release_text, strict_redactor
from storage import Post
from storage.quotes import Quote, approve, current_post

from .errors import WrongUse
from .home import Home


def approve_quote(
    home: Home, post: str, *, by: str, paraphrase: str, start: int, end: int | None, verbatim: bool, now: datetime
) -> Quote:
    """
    Approve a stretch of a post (code points) as it stands, or a paraphrase of it.

    WrongUse when the post or the stretch is not there, when a paraphrase still takes over a run of words that
    could be looked up, or names somebody, and when a long stretch is to stand as it is without *verbatim*.
    """
    found = _found(home, post)
    stop = len(found.text) if end is None else end
    if not start < stop <= len(found.text):
        msg = f"the post has {len(found.text)} characters; the quote must lie within them"
        raise WrongUse(msg)
    policy = home.case(found.case).policy
    words = found.text[start:stop]
    verdict = check_paraphrase(paraphrase, words, policy) if paraphrase else check_quote(words, policy)
    if verdict.traceable and not verbatim:
        msg = (
            f"{verdict.words} words in a row could be looked up (the policy lets {verdict.allowed} be): "
            "give --paraphrase in other words, or say --verbatim"
        )
        raise WrongUse(msg)
    if paraphrase and release_text(paraphrase, strict_redactor()) != paraphrase:
        msg = "the paraphrase seems to name somebody or something personal; use labels such as [PERSOON]"
        raise WrongUse(msg)
    quote = Quote(found.id, found.version, start, stop, paraphrase, by, now)
    approve(home.store, quote)
    home.audit.append("quote", case=found.case, paraphrased=bool(paraphrase), words=verdict.words)
    return quote


def _found(home: Home, post: str) -> Post:
    found = current_post(home.store, post)
    if found is None:
        msg = "no post with this id is stored; ids are as in exports and samples"
        raise WrongUse(msg)
    return found
