"""
Write the fieldwork set as the exports that people would hand over: WhatsApp chats, Telegram Desktop, transcripts.

Platforms with an API are served by `demo.replay` instead. `python -m demo.make FOLDER` writes everything.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from .fieldwork import Row, rows, threads

__all__ = ["Export", "exports", "telegram_number", "transcripts", "turns"]

ZONE = ZoneInfo("Europe/Amsterdam")
CASES = ("neighbourhood-watch", "hostage-factfinding", "justice-for-victim", "scam-fighters")
_CHAT_NAMES = {"neighbourhood-watch": "Buurtapp", "scam-fighters": "Opgelicht"}
_APART = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Export:
    """One export file, the format's name for `veldwerk import --format`, and the posts of the set that it holds."""

    path: Path
    case: str
    format: str
    rows: tuple[Row, ...]


def exports(folder: Path, case: str | None = None) -> list[Export]:
    """Write the exports of *case* (or of all) below *folder*; those that are there are written anew."""
    found: list[Export] = []
    for each in CASES if case is None else (case,):
        place = folder / each
        place.mkdir(parents=True, exist_ok=True)
        found += _whatsapp(place, each)
        found += _telegram(place, each)
    return found


# WhatsApp: no ids, no replies and no threads, so threads that overlap in time lie in different chats.


def _whatsapp(place: Path, case: str) -> Iterator[Export]:
    for n, chat in enumerate(_chats(list(threads(case, "whatsapp"))), 1):
        said = sorted((row for thread in chat for row in thread), key=lambda r: r.created)
        name = f"{_CHAT_NAMES[case]} {n}"
        text = "".join(f"{line}\r\n" for line in _chat_lines(name, said))
        if n % 2:
            path = place / f"WhatsApp-chat - {name}.zip"
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("_chat.txt", text)
        else:
            path = place / f"WhatsApp-chat met {name}.txt"
            path.write_text(text, encoding="utf-8", newline="")
        yield Export(path, case, "whatsapp", tuple(said))


def _chats(found: list[list[Row]]) -> list[list[list[Row]]]:
    """The threads shared out over as few chats as keep those of one chat apart by more than a day."""
    chats: list[list[list[Row]]] = []
    for thread in sorted(found, key=lambda t: t[0].created):
        free = next((c for c in chats if thread[0].created - c[-1][-1].created > _APART), None)
        if free is None:
            chats.append(free := [])
        free.append(thread)
    return chats


def _chat_lines(name: str, said: list[Row]) -> Iterator[str]:
    start = said[0].created - timedelta(days=3)
    yield f"{_stamp(start)} {name}: \u200eBerichten en oproepen zijn end-to-end versleuteld."
    yield f"\u200e{_stamp(start)} {name}: \u200e{said[0].author} heeft deze groep gemaakt"
    for row in said:
        yield f"{_stamp(row.created)} {row.author}: {row.text}"
    last = said[-1]
    yield f"\u200e{_stamp(last.created)} {last.author}: \u200eDit bericht is verwijderd."


def _stamp(moment: datetime) -> str:
    return moment.astimezone(ZONE).strftime("[%d-%m-%Y %H:%M:%S]")


# Telegram: one group a case, with a topic a thread.


def telegram_number(row: Row) -> int:
    """The number that Telegram gives this post in its case's group."""
    return _numbers(row.case)[row.id]


def _numbers(case: str) -> dict[str, int]:
    """The message numbers of a case's group, by post, and by thread for the message that opened its topic."""
    numbers: dict[str, int] = {}
    opened = {t[0].id: t[0].thread for t in threads(case, "telegram")}
    for row in sorted(rows(case, "telegram"), key=lambda r: r.created):
        for name in (opened.get(row.id), row.id):
            if name is not None:
                numbers[name] = len(numbers) + 2
    return numbers


def _telegram(place: Path, case: str) -> Iterator[Export]:
    said = sorted(rows(case, "telegram"), key=lambda r: r.created)
    if not said:
        return
    number = crc32(case.encode())
    chat = {"name": case, "type": "public_supergroup", "id": number, "messages": list(_messages(case, said))}
    whole = chat if case != "scam-fighters" else _account(chat)
    path = place / "ChatExport" / "result.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(whole, ensure_ascii=False, indent=1), encoding="utf-8")
    yield Export(path, case, "telegram-desktop", tuple(said))


def _account(chat: dict[str, Any]) -> dict[str, Any]:
    """An export of a whole account, of which the group is one chat."""
    about = "Here is the data you requested. Remember: Telegram is ad free, it doesn't use your data for ad targeting."
    return {
        "about": about,
        "personal_information": {},
        "contacts": {"list": []},
        "chats": {"about": "", "list": [chat]},
    }


def _messages(case: str, said: list[Row]) -> Iterator[dict[str, Any]]:
    numbers = _numbers(case)
    first = said[0]
    yield (_base(1, first.created, "service") | _actor(first.author) | {"action": "create_group", "title": case})
    for row in said:
        number = numbers[row.id]
        if numbers[row.thread] == number - 1:
            made = {"action": "topic_created", "title": row.thread, "text": ""}
            yield _base(number - 1, row.created, "service") | _actor(row.author) | made
        answered = numbers[row.reply_to] if row.reply_to else numbers[row.thread]
        sender = {"from": row.author, "from_id": _user(row.author), "reply_to_message_id": answered}
        yield _base(number, row.created, "message") | sender | {"text": _pieces(row.text)}


def _base(number: int, moment: datetime, kind: str) -> dict[str, Any]:
    local = moment.astimezone(ZONE).replace(tzinfo=None)
    return {
        "id": number,
        "type": kind,
        "date": local.isoformat(),
        "date_unixtime": str(int(moment.timestamp())),
    }


def _actor(name: str) -> dict[str, str]:
    return {"actor": name, "actor_id": _user(name)}


def _user(name: str) -> str:
    return f"user{crc32(name.encode())}"


def _pieces(text: str) -> str | list[str | dict[str, str]]:
    """A text as Telegram writes it: in pieces where something in it is marked."""
    split = re.split(r"((?<!\w)@\w+|https?://\S+)", text)
    kinds = {"@": "mention", "h": "link"}
    marked = [{"type": kinds[p[0]], "text": p} if n % 2 else p for n, p in enumerate(split)]
    return text if len(marked) == 1 else [m for m in marked if m]


# Interviews: the transcripts, each in another format.


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of an interview of the set: the speaker is I (interviewer) or R (respondent)."""

    id: str
    case: str
    interview: str
    speaker: str
    start: str
    text: str


def turns(interview: str | None = None) -> list[Turn]:
    """The turns of an interview, or of all four, in order."""
    found = []
    for path in sorted((files("demo") / "gold" / "interviews").iterdir(), key=lambda p: p.name):
        for line in path.read_text(encoding="utf-8").splitlines():
            r = json.loads(line)
            found.append(Turn(*(r[k] for k in ("id", "case", "interview", "speaker", "start", "text"))))
    return [t for t in found if interview in (None, t.interview)]


def transcripts(folder: Path) -> dict[str, Path]:
    """Write the interviews below *folder*, each in another transcript format; interview -> file."""
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted({t.interview for t in turns()})
    writers = {".vtt": _vtt, ".docx": _docx, ".srt": _srt, ".txt": _txt}
    found = {}
    for name, (suffix, write) in zip(names, writers.items(), strict=True):
        found[name] = folder / f"{name}{suffix}"
        write(found[name], turns(name))
    return found


def _ends(said: list[Turn]) -> list[tuple[Turn, str]]:
    """Each turn with the moment it ends: where the next begins."""
    last = f"{int(said[-1].start[:2]) + 1:02}{said[-1].start[2:]}"
    return list(zip(said, [*(t.start for t in said[1:]), last], strict=True))


def _vtt(path: Path, said: list[Turn]) -> None:
    cues = (
        f"{t.start}.000 --> {end}.000\n<v {t.speaker}>{escape(t.text, quote=False)}</v>\n" for t, end in _ends(said)
    )
    path.write_text("WEBVTT\n\n" + "\n".join(cues), encoding="utf-8")


def _srt(path: Path, said: list[Turn]) -> None:
    cues = (f"{n}\n{t.start},000 --> {end},000\n{t.speaker}: {t.text}\n" for n, (t, end) in enumerate(_ends(said), 1))
    path.write_text("\n".join(cues), encoding="utf-8")


def _txt(path: Path, said: list[Turn]) -> None:
    path.write_text("\n\n".join(f"[{t.start}] {t.speaker}: {t.text}" for t in said) + "\n", encoding="utf-8")


def _docx(path: Path, said: list[Turn]) -> None:
    from docx import Document

    document = Document()
    for turn in said:
        paragraph = document.add_paragraph()
        paragraph.add_run(f"{turn.speaker}: ").bold = True
        paragraph.add_run(f"[{turn.start}] {turn.text}")
    document.save(str(path))


def main() -> None:
    """Write all exports and transcripts into the folder named on the command line."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m demo.make FOLDER")
    folder = Path(sys.argv[1])
    for export in exports(folder):
        print(f"{export.path}: {len(export.rows)} posts, {export.format}")
    for path in transcripts(folder / "interviews").values():
        print(f"{path}: an interview")


if __name__ == "__main__":
    main()
