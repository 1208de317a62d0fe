"""Code the posts of a case: a plain function that the command line and the Prefect flow call."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from coding import load_codebook
from coding.run import code_posts

from .case import Case
from .coders import settings_for
from .home import Home
from .progress import Progress
from .receipt import Receipt

if TYPE_CHECKING:
    from coding.coders.llm import Tally


def code_case(home: Home, case: Case, coder: str, progress: Progress) -> Receipt:
    """Code what this coder has not seen of the case yet; counts posts, posts with a code, and annotations."""
    start = time.monotonic()
    done: Counter[str] = Counter(posts=0)
    codebook, settings = load_codebook(case.codebook), settings_for(home, coder, (case,))
    tally = _tally(coder)
    batches = code_posts(home.store, coder, codebook, settings, case.id, **({"tally": tally} if tally else {}))
    for counts in progress.count(batches, f"{case.id} {coder} batches"):
        done.update(counts)
    if tally:
        spent = {k: round(v) for k, v in tally.as_dict().items() if k not in ("posts", "cost")}
        done.update({k.replace("_", " "): n for k, n in spent.items()})
        progress.say(f"{case.id}: {tally.seconds:.0f} s of the language model, cost {tally.cost:.2f}")
    return Receipt("code", case.id, coder, dict(done), time.monotonic() - start)


def _tally(coder: str) -> Tally | None:
    """What a language model takes is counted and shown; other coders cost nothing."""
    if coder != "llm":
        return None
    from coding.coders.llm import Tally

    return Tally()
