"""BSN: nine digits that pass the elfproef, or that are announced as one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum.nl import bsn

from .found import Found
from .reading import Reading

CANDIDATE = re.compile(
    r"(?<![\w+,-])(?<!\d[.\s/])(?:\d{8,9}|\d{3}[.\s-]\d{3}[.\s-]\d{3}|\d{4}[.\s-]?\d{2}[.\s-]\d{3}|\d{3}\s\d{2}\s\d{4}|\d{5}[.\s]\d{4}|\d{3}[.\s]?\d{3}\s\d{2}\s\d)(?![\w%]|[.,/-]\d|\s\d)"
)
ANNOUNCED = re.compile(r"(?:\bbsn\w*|\bburgerservice\w*|\bsofi\w*|\bb\.s\.n)[^\n]{0,45}$")
OTHER = re.compile(
    r"(?:\border\w*|\bbestel\w*|\bfactuur\w*|\bzaak\w*|\bdossier\w*|\bkvk\w*|\bpakket\w*|\btrack\w*|\breferentie\w*|\bref|\bpv|"
    r"\baangifte\w*|\bklant\w*|\bticket\w*|\bbtw\w*|\bartikel\w*|\bserie\w*|\bpolis\w*|\brelatie\w*|\blidnummer|\bm|\bid|\bparket\w*|"
    r"\btel\w*|€|eur|\bmelding\w*|\bkenmerk\w*|\bnr|-)[^\d\n]{0,14}$"
)


def find(text: Reading) -> Iterator[Found]:
    """BSN in *text*."""
    if not text.digits:
        return
    for m in CANDIDATE.finditer(text.low):
        digits = re.sub(r"\D", "", m.group())
        before = text.low[max(0, m.start() - 60) : m.start()]
        if ANNOUNCED.search(before) or (
            len(digits) == 9 and bsn.is_valid(digits) and not OTHER.search(before)
        ):
            yield Found(m.start(), m.end(), "BSN")
