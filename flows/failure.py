"""One line a failure, and its exit code. Only messages of our own making are shown: foreign ones may hold content."""

from __future__ import annotations

import traceback

from analysis.estimates import NotEstimable
from analysis.regression import Unidentified
from coding.codebook import CodebookError
from coding.exchange import ExchangeError
from coding.failures import CodingError, RemoteModel
from coding.gold import GoldError
from coding.sampling import SamplingError
from collectors import CollectorError, UnreadableExport
from ethics.policy import Refused
from storage import StoreError

from .errors import WorkFailed, WrongUse

OURS: dict[type[Exception], int] = {
    Refused: 3,
    RemoteModel: 3,
    WrongUse: 2,
    UnreadableExport: 2,
    CodebookError: 2,
    ExchangeError: 2,
    GoldError: 2,
    SamplingError: 2,
    CodingError: 1,
    NotEstimable: 2,
    Unidentified: 2,
    CollectorError: 1,
    StoreError: 1,
    WorkFailed: 1,
}


def explain(error: BaseException, *, debug: bool = False) -> tuple[int, str]:
    """The exit code and the line for *error*; with *debug* also the frames it came through, without values."""
    known = next((code for kind, code in OURS.items() if isinstance(error, kind)), None)
    code, line = (1, _foreign(error)) if known is None else (known, str(error))
    if debug:
        frames = traceback.extract_tb(error.__traceback__)
        line += "".join(f"\n  {f.filename}:{f.lineno} in {f.name}" for f in frames) + f"\n  {type(error).__name__}"
    return code, line


def _foreign(error: BaseException) -> str:
    """An unexpected error by its kind and place alone: its own text may quote what it choked on."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror or type(error).__name__}"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"unexpected {type(error).__name__} in {frame.name}; run again with --debug and report where it happened"
