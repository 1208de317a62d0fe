"""BSN: nine digits that pass the elfproef, or that are announced as one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum.nl import bsn

from .found import Found
from .reading import NAME_MASK, OTHER_MASK, Reading, Recogniser

CANDIDATE = re.compile(
    r"(?<![\w+-])(?<![0-9][.,/])(?<![0-9]\s)(?:[0-9]{8,9}|[0-9]{3}[.\s-][0-9]{3}[.\s-][0-9]{3}|"
    r"[0-9]{4}[.\s-]?[0-9]{2}[.\s-][0-9]{3}"
    r"|[0-9]{3}\s[0-9]{2}\s[0-9]{4}|[0-9]{3}\s[0-9]{2}\s[0-9]{3}\s[0-9]|[0-9]{5}[.\s][0-9]{4})(?![\w%]|[.,/-][0-9]|"
    r"\s[0-9])"
)
SCREEN = re.compile(r"[0-9][0-9]{2}[.\s-]?[0-9]{2}")
ANNOUNCED = re.compile(r"(?:\bbsn\w*|\bburgerservice\w*|\bsofi\w*|\bb\.s\.n)[^\n]{0,45}$")
ROW = re.compile(rf"[{NAME_MASK}{OTHER_MASK}]\s?[,(:]\s?$")
"""Right behind a name or another detail of somebody."""
OTHER = re.compile(
    r"(?:\border\w*|\bbestel\w*|\bfactuur\w*|\bzaak\w*|\bdossier\w*|\bkvk\w*|\bpakket\w*|\btrack\w*|\breferentie\w*|"
    r"\bref|\bpv|"
    r"\baangifte\w*|\bklant\w*|\bticket\w*|\bbtw\w*|\bartikel\w*|\bserie\w*|\bpolis\w*|\brelatie\w*|\blidnummer|\bid:|"
    r"\bparket\w*|\btel\w*|€|\beur|\bmelding\w*|\bkenmerk\w*|\bnr)[^0-9\n]{0,14}$"
)


def find(text: Reading) -> Iterator[Found]:
    """BSN in *text*."""
    for m in CANDIDATE.finditer(text.low):
        digits = re.sub(r"\D", "", m.group())
        before = text.low[max(0, m.start() - 60) : m.start()]
        if (
            ANNOUNCED.search(before)
            or (ROW.search(before) and len(digits) == 9)
            or (len(digits) == 9 and bsn.is_valid(digits) and not OTHER.search(before))
        ):
            yield Found(m.start(), m.end(), "BSN")


BSNS = Recogniser(find, lambda sheet: sheet.numbered(SCREEN))
