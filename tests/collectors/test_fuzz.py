"""Laws that hold for every importer, whatever is done to its files."""

from __future__ import annotations

import copy
import io
import json
import random
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from collectors import Mark, RawPost, Skip, UnreadableExport, available, detect, load_importer
from demo.make import exports, transcripts
from tests.real import real

from .test_captures import CSV, SEEN, line
from .test_captures import write as write_lines
from .test_downloads import COMMENT, COMMENTS, FACEBOOK, OUTBOX, SUBMISSION, lines, outbox
from .test_speech import write_document

CANARY = "Zwaluwstaartje"


def samples(folder: Path) -> dict[str, list[Path]]:
    """A file or more of each format, each with the canary somewhere in its words."""
    made = exports(folder / "demo", "neighbourhood-watch")
    chat = folder / "chat.txt"
    chat.write_text("".join(f"1{n % 3}-11-24 10:{n:02} - Ann: bericht {n} {CANARY}\nen meer\n" for n in range(60)))
    zst = folder / "dump.zst"
    zst.write_bytes(zstandard.ZstdCompressor().compress(lines([SUBMISSION, COMMENT | {"body": CANARY}] * 50)))
    (folder / "outbox.json").write_bytes(outbox(OUTBOX * 20))
    (folder / "group_posts.json").write_text(json.dumps(FACEBOOK))
    (folder / "4cat.csv").write_text(CSV * 3)
    (folder / "table.csv").write_text("author;text;date\n" + f'Ann;"{CANARY}\nja";2025-03-03\n' * 40)
    write_document(folder / "beleid.docx")
    items = [line(platform, item) for platform, item, _ in SEEN]
    return {
        "whatsapp": [chat, *(e.path for e in made if e.format == "whatsapp")],
        "telegram-desktop": [e.path for e in made if e.format == "telegram-desktop"],
        "zeeschuimer": [write_lines(folder / "z.ndjson", items)],
        "4cat": [
            folder / "4cat.csv",
            write_lines(folder / "4.ndjson", [i["data"] | {"__import_meta": {}} for i in items]),
        ],
        "reddit-dump": [zst],
        "mastodon-archive": [folder / "outbox.json"],
        "meta-download": [folder / "group_posts.json"],
        "csv": [folder / "table.csv"],
        "transcripts": list(transcripts(folder / "interviews").values()),
        "documents": [folder / "beleid.docx"],
    }


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def flip(data: bytes, chance: random.Random) -> bytes:
    broken = bytearray(data)
    for _ in range(chance.randint(1, 30)):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    return bytes(broken)


def splice(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    stuff = [
        b"\0" * 500,
        b'"' * 7,
        b"[" * 5000,
        b"{" * 5000,
        b"\xff\xfe",
        b"\xe2\x80\x8e",
        b"&a;" * 50,
        b"\r",
        b"9" * 6000,
    ]
    return data[:at] + chance.choice(stuff) + data[at:]


def shuffle(data: bytes, chance: random.Random) -> bytes:
    found = data.split(b"\n")
    chance.shuffle(found)
    return b"\n".join(found)


@pytest.mark.parametrize("harm", [cut, flip, splice, shuffle])
def test_a_damaged_export_is_read_or_refused_in_our_words(
    harm: Callable[[bytes, random.Random], bytes], tmp_path: Path
) -> None:
    """Cut, broken, stuffed and shuffled, each export gives posts and named skips, or an error without content."""
    chance = random.Random(harm.__name__)
    made = samples(tmp_path)
    assert set(made) == set(available("read"))
    for name, paths in made.items():
        importer = load_importer(name)
        for path in paths:
            whole = path.read_bytes()
            for n in range(12):
                damaged = tmp_path / f"{n}{path.suffix}"
                damaged.write_bytes(harm(whole, chance))
                importer.sniff(damaged)
                try:
                    items = list(importer.read(damaged, importer.Settings()))
                except UnreadableExport as error:
                    items = []
                    told = str(error)
                    assert told.startswith(damaged.name), told
                    assert CANARY not in told
                assert all(isinstance(i, (RawPost, Skip, Mark)) for i in items)
                assert all(len(i.reason) < 60 and CANARY not in i.reason for i in items if isinstance(i, Skip))


ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    5,
    10**30,
    1.5,
    float("nan"),
    "",
    "x",
    "\ud800",
    "9" * 400,
    [],
    {},
    [None, 1],
    [{}],
]
ODD += [{"text": 1}, [["a"]], {"result": []}, [[]], {"a": {"b": []}}]


def places(item: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The ways to every value in *item*."""
    inner = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    return [way for key, value in inner for way in ((*before, key), *places(value, (*before, key)))]


def oddly(item: Any, chance: random.Random) -> Any:
    """*item* with something unexpected in up to three places."""
    changed = copy.deepcopy(item)
    for _ in range(chance.randint(1, 3)):
        if ways := places(changed):
            *to, key = chance.choice(ways)
            here = changed
            for step in to:
                here = here[step]
            here[key] = copy.deepcopy(chance.choice(ODD))
    return changed


def as_lines(items: list[Any]) -> str:
    return "".join(json.dumps(item) + "\n" for item in items)


ROW = {"id": "1", "thread_id": "1", "body": "x", "timestamp": "2025-03-03 11:06:40", "author": "a", "mentions": "a,b"}
INSTAGRAM = {"media": [{"uri": "a.jpg", "creation_timestamp": 1_741_000_000, "title": "x"}], "title": "album"}
SHAPES: dict[str, tuple[list[Any], Any, Callable[[list[Any]], str]]] = {
    "zeeschuimer": ([line(p, i) for p, i, _ in SEEN], line("x.com", {}), as_lines),
    "4cat": ([ROW], ROW, as_lines),
    "reddit-dump": ([SUBMISSION, COMMENT, SUBMISSION | {"edited": True, "is_video": True}], SUBMISSION, as_lines),
    "mastodon-archive": (OUTBOX, OUTBOX[0], lambda items: outbox(items).decode()),
    "meta-download": (
        [*FACEBOOK["group_posts_v2"], *COMMENTS["group_comments_v2"], INSTAGRAM],
        FACEBOOK["group_posts_v2"][0],
        lambda items: json.dumps({"group_posts_v2": items}),
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_items_of_any_shape_are_posts_or_skips(name: str, tmp_path: Path) -> None:
    """Whatever stands where something else was expected, each item gives a post or a named skip."""
    chance = random.Random(name)
    whole, first, write = SHAPES[name]
    path = tmp_path / "a.json"
    path.write_text(write([first, *(oddly(chance.choice(whole), chance) for _ in range(2500))]))
    importer = load_importer(name)
    assert importer.sniff(path)
    found = list(importer.read(path, importer.Settings()))
    assert len(found) >= 2501
    assert {type(i) for i in found} == {RawPost, Skip}


def test_every_format_is_detected_as_itself_alone(tmp_path: Path) -> None:
    """No export is taken for one of another format."""
    for name, paths in samples(tmp_path).items():
        assert {detect(p) for p in paths} == {name}


def test_every_recording_here_is_read_or_refused_in_our_words() -> None:
    """Each file of the recordings, of whatever kind, is of one format or of none, and is read without a stumble."""
    for path in sorted(p for p in real().rglob("*") if p.is_file()):
        try:
            importer = load_importer(detect(path))
        except UnreadableExport:
            continue
        try:
            items = list(importer.read(path, importer.Settings()))
        except UnreadableExport as error:
            assert str(error).startswith(path.name)  # noqa: PT017 (most files are read)
            continue
        assert items or path.name == "tweets_page_3.json"


def grown(path: Path, start: bytes, piece: bytes, times: int, end: bytes) -> Path:
    with path.open("wb") as handle:
        handle.write(start)
        for _ in range(times):
            handle.write(piece)
        handle.write(end)
    return path


@pytest.mark.slow
def test_large_and_endless_files_take_little_memory(tmp_path: Path) -> None:
    """A hundred megabytes in one line, one string, one cell or many messages do not fill the memory."""
    mega = b"x" * (1 << 20)
    message = b"14-11-24 10:00 - Ann: " + b"y" * 2000 + b"\n"
    row = json.dumps(
        {"id": 5, "type": "message", "date_unixtime": "1741000000", "text": "z" * 2000, "from": "A"}
    ).encode()
    chat = b'{"name": "b", "type": "private_group", "id": 1, "messages": ['
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("_chat.txt", "w") as member:
        for _ in range(100):
            member.write(mega)
    (tmp_path / "bomb.zip").write_bytes(packed.getvalue())
    files: dict[str, list[Path]] = {
        "whatsapp": [
            grown(tmp_path / "line.txt", b"14-11-24 10:00 - Ann: ", mega, 100, b"\n"),
            grown(tmp_path / "many.txt", b"", message, 20_000, b""),
            tmp_path / "bomb.zip",
        ],
        "telegram-desktop": [
            grown(tmp_path / "many.json", chat + row, b"," + row, 40_000, b"]}"),
            grown(tmp_path / "string.json", chat + b'{"text": "', mega, 100, b'"}]}'),
            grown(tmp_path / "deep.json", chat, b"[" * 1000, 200_000, b""),
        ],
        "zeeschuimer": [
            grown(tmp_path / "line.ndjson", json.dumps(line("x.com", {})).encode() + b'\n{"', mega, 100, b"\n")
        ],
        "csv": [grown(tmp_path / "cell.csv", b"author,text,date\nAnn,", mega, 100, b",2025-03-03\n")],
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, paths in files.items():
        importer = load_importer(name)
        for path in paths:
            try:
                assert sum(1 for _ in importer.read(path, importer.Settings())) > 0
            except UnreadableExport as error:
                assert str(error).startswith(path.name)  # noqa: PT017 (some are read)
    grown_by: Any = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_by < 400_000, f"{grown_by} kB"
