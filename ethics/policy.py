"""What a case's protocol allows: the part of a case file that `ethics` obeys."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

Setting = Literal["careful", "readable"]


class Refused(Exception):
    """An ethics rule forbids it; the message says which rule, and what would allow it. Exit code 3."""


class Approval(BaseModel, extra="forbid", frozen=True):
    """An approval on record: by whom, under which reference, until when."""

    reference: str = Field(min_length=3)
    body: str
    until: date | None = None

    @property
    def example(self) -> bool:
        """Whether this is still the placeholder of a shipped case file."""
        return self.reference.startswith("EXAMPLE")


class LegalBasis(BaseModel, extra="forbid", frozen=True):
    """On what the processing rests (GDPR and the Dutch UAVG)."""

    personal_data: str
    special_categories: str
    criminal_offences: str
    dpia: str | None = None


class Retention(BaseModel, extra="forbid", frozen=True):
    """How many days posts are kept after collection, and after which a platform wants them refreshed."""

    days: int = Field(gt=0)
    platforms: dict[str, int] = {}


class Policy(BaseModel, extra="forbid", frozen=True):
    """
    The protocol of one case.

    `redaction` chooses the setting of the gate's redactor. Cells of fewer than `min_cell` posts or
    authors are suppressed on release. Verbatim quotes of more than `quote_words` words are flagged for
    paraphrase. `remote_models` lists the hosts of language models outside this machine that may see
    redacted text. `consent` is the record that covers private groups; `platforms` holds approvals that a
    platform itself demands.
    """

    ethics_approval: Approval | None = None
    legal_basis: LegalBasis | None = None
    consent: Approval | None = None
    platforms: dict[str, Approval] = {}
    retention: Retention
    redaction: Setting = "careful"
    min_cell: int = Field(default=5, ge=1)
    quote_words: int = Field(default=8, ge=3)
    remote_models: tuple[str, ...] = ()
