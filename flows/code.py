"""Code the posts of a case: a plain function that the command line and the Prefect flow call."""

from __future__ import annotations

import time
from collections import Counter

from coding import load_codebook
from coding.run import code_posts

from .case import Case
from .coders import settings_for
from .home import Home
from .progress import Progress
from .receipt import Receipt


def code_case(home: Home, case: Case, coder: str, progress: Progress) -> Receipt:
    """Code what this coder has not seen of the case yet; counts posts, posts with a code, and annotations."""
    start = time.monotonic()
    done: Counter[str] = Counter(posts=0)
    codebook, settings = load_codebook(case.codebook), settings_for(home, coder, (case,))
    batches = code_posts(home.store, coder, codebook, settings, case.id)
    for counts in progress.count(batches, f"{case.id} {coder} batches"):
        done.update(counts)
    return Receipt("code", case.id, coder, dict(done), time.monotonic() - start)
