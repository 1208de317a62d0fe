"""
The papers of a study, filled from the case files and from what was measured: nothing in them is typed twice.

The processing register (GDPR art. 30), the annex to the data protection impact assessment (art. 35), the public
notice (art. 14(5)(b)), and a bundle for deposit that holds no personal data. The first two are for the study and
its officers and give exact counts; the others are public and leave small counts out.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .documents import Block, Document, Heading, Items, Table
from .policy import Approval, Policy
from .release import suppress_small

OPEN = "TO FILL IN"
"""What stands where neither a case file nor a measurement knows; a person must write it."""

SUBJECTS = (
    "authors of posts in the sources below; people whom the posts are about (suspects, victims, witnesses, bystanders, "
    "officials), named or described by others; where there are interviews, the people interviewed"
)
MEASURES = (
    "Texts pass a redactor before anything is stored; names, numbers, addresses and links become labels.",
    "Authors, posts and threads have keyed pseudonyms, other ones in each case (HMAC-SHA256, keys by HKDF).",
    "The corpus is one file encrypted with AES-256-GCM; native ids lie in another one under another key.",
    "The project key lies outside the study's folder, readable by its owner alone.",
    "What was done to personal data stands in a chained trail in which tampering is found.",
    "Exports, samples, codebook and report pass a second redaction; small counts and long quotes do not leave.",
    "Erasure rewrites the files, so that no byte remains, and keeps the person out of later collections.",
)
RISKS = (
    ("Somebody is recognised in a redacted text", "second redaction on release, no long quotes, small counts left out"),
    ("A redactor misses a name", "measured (see its card); what a coder reports as missed is redacted everywhere"),
    ("An author is traced by quoting her words", "quotes are cut or paraphrased, and approved in a register"),
    ("Accusations of crimes spread further", "texts stay encrypted; doxing is coded by kind, not by content"),
    ("The corpus is stolen", "encrypted, key kept apart, native ids in another file under another key"),
    ("A deleted post lives on", "refresh asks the platforms, deletions are followed; retention periods are applied"),
    ("The data serve another purpose", "no raw data are kept; the case file fixes question and sources"),
)


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A source as a case file names it."""

    name: str
    collector: str
    private: bool
    about: str = ""


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One case: its protocol, and what was measured of it."""

    id: str
    title: Mapping[str, str]
    question: str
    sources: Sequence[SourceRecord]
    policy: Policy
    posts: int = 0
    authors: int = 0
    threads: int = 0
    first: datetime | None = None
    last: datetime | None = None
    platforms: Mapping[str, int] = field(default_factory=dict)
    disclosures: Mapping[str, int] = field(default_factory=dict)
    runs: Sequence[Mapping[str, Any]] = ()
    kept_out: int = 0
    refreshable: int = 0
    key: str = "none"


@dataclass(frozen=True, slots=True)
class StudyRecord:
    """All cases, the trail, and who answers for the study."""

    made: datetime
    version: str
    cases: Sequence[CaseRecord]
    redactor: str
    key: str
    entries: int = 0
    whole: bool = True
    events: Mapping[str, int] = field(default_factory=dict)
    erased_posts: int = 0
    controller: str = OPEN
    contact: str = OPEN
    officer: str = OPEN

    @property
    def date(self) -> str:
        """The day on which it was made."""
        return f"{self.made:%Y-%m-%d}"


def _approval(approval: Approval | None) -> str:
    if approval is None:
        return "none"
    until = f", until {approval.until}" if approval.until else ""
    return f"{approval.reference} ({approval.body}{until})" + (" - EXAMPLE, TO REPLACE" if approval.example else "")


def _days(policy: Policy) -> str:
    special = "".join(f"; {p}: {d} days unless refreshed" for p, d in sorted(policy.retention.platforms.items()))
    return f"{policy.retention.days} days after collection{special}"


def _kinds(case: CaseRecord) -> str:
    return ", ".join(f"{kind} ({n:,})" for kind, n in case.disclosures.items()) or "none met so far"


def _sources(case: CaseRecord) -> Items:
    return Items([
        f"{s.name} ({s.collector}{', private group' if s.private else ''}){': ' + s.about if s.about else ''}"
        for s in case.sources
    ])  # fmt: skip


# ------------------------------------------------------------------------------------------------ art. 30
def register(study: StudyRecord) -> Document:
    """The record of processing activities (GDPR art. 30(1)), one activity a case."""
    blocks: list[Block] = [
        f"Made on {study.date} by veldwerk {study.version} from the case files and the stored data.",
        Table(
            ("", ""),
            [
                ("Controller", study.controller),
                ("Contact", study.contact),
                ("Data protection officer", study.officer),
                ("Security (art. 32)", " ".join(MEASURES)),
            ],
        ),
    ]
    for case in study.cases:
        blocks += [Heading(case.title["en"]), _activity(case), "Sources:", _sources(case)]
    return Document("Record of processing activities (GDPR art. 30)", blocks)


def _activity(case: CaseRecord) -> Table:
    basis, policy = case.policy.legal_basis, case.policy
    return Table(
        ("", ""),
        [
            ("Activity", case.id),
            ("Purpose", case.question.strip()),
            ("Legal basis", basis.personal_data if basis else OPEN),
            ("Special categories", basis.special_categories if basis else OPEN),
            ("Criminal offences (art. 10)", basis.criminal_offences if basis else OPEN),
            ("Data subjects", SUBJECTS),
            ("Personal data met, by kind, replaced by labels", _kinds(case)),
            ("Stored, pseudonymised", f"{case.posts:,} posts of {case.authors:,} authors in {case.threads:,} threads"),
            ("Recipients", "the research team; after release checks, the public"),
            ("Sent to other machines", ", ".join(policy.remote_models) or "nothing"),
            ("Kept for", _days(policy)),
            ("Ethics approval", _approval(policy.ethics_approval)),
            ("Consent of private groups", _approval(policy.consent)),
            *((f"Approval by {name}", _approval(a)) for name, a in sorted(policy.platforms.items())),
        ],
    )


# ------------------------------------------------------------------------------------------------ art. 35
def dpia_annex(study: StudyRecord) -> Document:
    """What was measured, for the annex of the impact assessment."""
    blocks: list[Block] = [
        f"Made on {study.date} by veldwerk {study.version}. The judgement on necessity and on what risk remains is not "
        f"in this annex: {OPEN} by the researcher with the data protection officer.",
        Heading("What is processed"),
        Table(
            ("case", "DPIA", "posts", "authors", "from", "to", "redaction", "kept out", "refreshable", "case key"),
            [_measured(case) for case in study.cases],
        ),
        Heading("Personal data that stood in the texts, by kind"),
        Table(("kind", *(c.id for c in study.cases)), _by_kind(study)),
        Heading("Where the texts came from"),
        Table(
            ("case", "source", "collector", "version", "runs", "stored", "skipped"),
            [(c.id, *_run_cells(r)) for c in study.cases for r in c.runs],
        ),
        Heading("Rights and duties, as the trail tells"),
        Table(("what", "times"), sorted(study.events.items())),
        f"{study.erased_posts:,} posts were erased or removed. The trail has {study.entries:,} lines and is "
        f"{'whole' if study.whole else 'NOT WHOLE: run veldwerk audit'}.",
        Heading("Risks and measures"),
        Table(("risk", "measure", "what remains"), [(*risk, OPEN) for risk in RISKS]),
        Heading("Measures in place"),
        Items([*MEASURES, f"Names are found by {study.redactor}.", f"Project key: {study.key}."]),
    ]
    return Document("Annex to the data protection impact assessment (GDPR art. 35)", blocks)


def _measured(case: CaseRecord) -> tuple[object, ...]:
    basis = case.policy.legal_basis
    days = [f"{m:%Y-%m-%d}" if m else "" for m in (case.first, case.last)]
    return (
        case.id, (basis.dpia if basis else None) or OPEN, case.posts, case.authors, *days, case.policy.redaction,
        case.kept_out, case.refreshable, case.key,
    )  # fmt: skip


def _by_kind(study: StudyRecord) -> list[tuple[object, ...]]:
    kinds = sorted({kind for case in study.cases for kind in case.disclosures})
    return [(kind, *(case.disclosures.get(kind, 0) for case in study.cases)) for kind in kinds]


def _run_cells(run: Mapping[str, Any]) -> tuple[object, ...]:
    return tuple(run[k] for k in ("source", "collector", "version", "runs", "stored", "skipped"))


# ------------------------------------------------------------------------------------------------ art. 14
def notice(study: StudyRecord, language: str) -> Document:
    """The public notice to people who cannot be told one by one (GDPR art. 14(5)(b)), in "nl" or "en"."""
    dutch = language == "nl"
    blocks: list[Block] = []
    for case in study.cases:
        platforms = sorted({s.collector for s in case.sources})
        blocks += [Heading(case.title[language]), case.question.strip()]
        blocks += [
            f"Bronnen: {', '.join(platforms)}. Bewaartermijn: {_dutch_days(case.policy)}."
            if dutch
            else f"Sources: {', '.join(platforms)}. Kept for: {_days(case.policy)}."
        ]
        if case.policy.legal_basis:
            blocks.append(f"{'Grondslag' if dutch else 'Legal basis'}: {case.policy.legal_basis.personal_data}.")
    filled = [_fill(block, study) for block in (_DUTCH if dutch else _ENGLISH)]
    title = "Onderzoek naar burgers en opsporing online" if dutch else "Research on citizens and policing online"
    return Document(title, [*filled[:2], *blocks, *filled[2:]], language)


def _dutch_days(policy: Policy) -> str:
    special = "".join(
        f"; {p}: {d} dagen tenzij opnieuw opgehaald" for p, d in sorted(policy.retention.platforms.items())
    )
    return f"{policy.retention.days} dagen na het verzamelen{special}"


def _fill(block: Block, study: StudyRecord) -> Block:
    if isinstance(block, str):
        return block.format(controller=study.controller, contact=study.contact, officer=study.officer, date=study.date)
    return block


_DUTCH: tuple[Block, ...] = (
    "Wij onderzoeken hoe burgers online samenwerken bij opsporing. Daarvoor verzamelen wij berichten uit de bronnen "
    "hieronder. Wij kunnen niet iedereen persoonlijk inlichten; daarom staat het hier (AVG art. 14 lid 5 onder b).",
    "Voordat een bericht wordt bewaard, halen wij er namen, accounts, nummers, adressen en links uit. Auteurs krijgen "
    "een pseudoniem.",
    Heading("Uw rechten"),
    "U kunt vragen of wij berichten van u hebben, en ze laten wissen; geef daarvoor uw gebruikersnaam en het platform "
    "door aan {contact}. Wij wissen dan al uw berichten en bewaren alleen een versleuteld kenmerk, zodat u bij later "
    "verzamelen buiten het onderzoek blijft. Wist u een bericht op het platform zelf, dan volgen wij dat. Wordt u in "
    "berichten van anderen genoemd, neem dan ook contact op.",
    "Verantwoordelijk: {controller}. Functionaris voor gegevensbescherming: {officer}. U kunt een klacht indienen bij "
    "de Autoriteit Persoonsgegevens (autoriteitpersoonsgegevens.nl).",
    "Opgemaakt op {date}.",
)
_ENGLISH: tuple[Block, ...] = (
    "We study how citizens work together online in policing. For this we collect posts from the sources below. We "
    "cannot inform everybody in person; therefore it stands here (GDPR art. 14(5)(b)).",
    "Before a post is kept, names, accounts, numbers, addresses and links are taken out. Authors get a pseudonym.",
    Heading("Your rights"),
    "You may ask whether we have posts of yours, and have them erased; give your user name and the platform to "
    "{contact}. We then erase all your posts and keep only an encrypted mark, so that you stay out of what is "
    "collected later. When you delete a post on the platform itself, we follow. If others' posts are about you, "
    "contact us too.",
    "Controller: {controller}. Data protection officer: {officer}. You may complain to the Dutch supervisory authority "
    "(autoriteitpersoonsgegevens.nl).",
    "Made on {date}.",
)


# ------------------------------------------------------------------------------------------------ deposit
def deposit(study: StudyRecord, codebooks: Mapping[str, str], codings: Sequence[Mapping[str, Any]]) -> bytes:
    """
    A zip for deposit without personal data: protocol, provenance, figures with small counts left out, codebooks
    (file name -> text), and what coded with what; checksums in SHA256SUMS.
    """
    files = {
        "README.md": _readme(study).markdown(),
        "protocol.json": _json([_protocol(c) for c in study.cases]),
        "provenance.json": _json([_public_runs(c) for c in study.cases]),
        "figures.csv": _figures(study),
        "codings.json": _json(list(codings)),
        **{f"codebooks/{name}": text for name, text in codebooks.items()},
    }
    files["SHA256SUMS"] = "".join(f"{hashlib.sha256(t.encode()).hexdigest()}  {n}\n" for n, t in sorted(files.items()))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, date_time=study.made.timetuple()[:6]), text)
    return out.getvalue()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n"


def _readme(study: StudyRecord) -> Document:
    return Document(
        "Deposit bundle",
        [
            f"Made on {study.date} by veldwerk {study.version}. It holds no posts, no pseudonyms and no native ids.",
            Table(
                ("file", "holds"),
                [
                    ("protocol.json", "per case: question, kinds of sources, legal basis, approvals, retention, rules"),
                    ("provenance.json", "per case: which collectors in which version brought posts"),
                    ("figures.csv", "per case: posts by platform and personal data by kind; small counts left out"),
                    ("codings.json", "which coders in which version, with which codebook"),
                    ("codebooks/", "the codebooks"),
                    ("SHA256SUMS", "checksums of the other files"),
                ],
            ),
        ],
    )


def _protocol(case: CaseRecord) -> dict[str, Any]:
    """The case without the names of its sources and their settings, which may point to a group."""
    kinds = sorted({(s.collector, s.private) for s in case.sources})
    return {
        "case": case.id,
        "title": dict(case.title),
        "question": case.question.strip(),
        "sources": [{"collector": c, "private": p} for c, p in kinds],
        "policy": case.policy.model_dump(mode="json"),
    }


def _public_runs(case: CaseRecord) -> dict[str, Any]:
    found = sorted({(r["collector"], r["version"]) for r in case.runs})
    return {"case": case.id, "collectors": [{"collector": c, "version": v} for c, v in found]}


def _figures(study: StudyRecord) -> str:
    lines = ["case,what,name,count"]
    for case in study.cases:
        for what, counts in (("posts by platform", case.platforms), ("personal data by kind", case.disclosures)):
            shown = suppress_small(counts, case.policy.min_cell)
            lines += [f"{case.id},{what},{name},{'' if n is None else n}" for name, n in sorted(shown.items())]
    return "\n".join(lines) + "\n"
