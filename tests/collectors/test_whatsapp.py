"""Laws of the WhatsApp importer."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors import UnreadableExport, detect, load_importer
from tests.real import real

from .reading import read

ZONE = ZoneInfo("Europe/Amsterdam")
LRM = "\u200e"
MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u200b"
FORMATS = [
    f"[{date} {clock}] %name:" if bracket else f"{date}, {clock} - %name:"
    for order in ("%y{s}%m{s}%d", "%y{s}%d{s}%m", "%d{s}%m{s}%y", "%m{s}%d{s}%y")
    for sep in "-/."
    for date in (order.format(s=sep), order.format(s=sep).replace("%y", "%Y"))
    for bracket in (True, False)
    for clock in ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")
]

characters = st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp"), blacklist_characters=MARKS)
line = st.text(characters, min_size=1, max_size=40).map(str.strip).filter(bool)
text = st.lists(line, min_size=1, max_size=4).map("\n".join).filter(lambda t: not looks_like_ours(t))
name = st.from_regex(r"[A-Za-zÀ-ž🤓]([A-Za-zÀ-ž0-9 .'🤓-]{0,20}[A-Za-zÀ-ž0-9🤓])?", fullmatch=True)


def looks_like_ours(written: str) -> bool:
    """Whether a random text happens to be what WhatsApp itself would write."""
    return written == "null" or bool(
        re.search(r"<|\((?:file|bestand|datei)|^\W*\d+.?[-/.].?\d", written, re.IGNORECASE | re.M)
    )


def order_of(form: str) -> str:
    return "".join(re.findall("%([dmyY])", form)).lower()


def head(form: str, who: str, when: datetime) -> str:
    return who.join(when.strftime(part) for part in form.split("%name"))


def render(form: str, chat: list[tuple[str, datetime, str]]) -> str:
    """A chat as an export whose headers have the format *form*."""

    def lines() -> Iterator[str]:
        for who, when, said in chat:
            yield head(form, who, when) + " " + said

    return "\n".join(lines()) + "\n"


def as_exported(form: str, when: datetime) -> datetime:
    """The moment as the format keeps it: to the second or the minute, in UTC."""
    kept = when if "%S" in form else when.replace(second=0)
    return kept.replace(tzinfo=ZONE).astimezone(UTC)


@st.composite
def chats(draw: st.DrawFn, longest_gap: int = 100_000, least: int = 1) -> list[tuple[str, datetime, str]]:
    """People who talk, each message later than the one before; no hour that a clock change makes ambiguous."""
    when = draw(st.datetimes(datetime(2010, 1, 1), datetime(2038, 1, 1))).replace(microsecond=0)
    said = []
    for _ in range(draw(st.integers(least, least + 8))):
        when += timedelta(minutes=draw(st.integers(1, longest_gap)))
        if when.month in (3, 10) and when.hour in (1, 2, 3):
            when += timedelta(hours=3)
        said.append((draw(name), when, draw(text)))
    return said


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(chat=chats())
def test_what_was_said_comes_back_whole_in_every_header_format(
    form: str, chat: list[tuple[str, datetime, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A chat written in any header format gives back author, time and text of each message."""
    path = tmp_path_factory.mktemp("chat") / "chat.txt"
    path.write_text(render(form, chat), encoding="utf-8")
    found = read(path, "whatsapp", date_order=order_of(form))
    assert [(p.author.reveal(), p.created, p.text.reveal()) for p in found.posts] == [
        (who, as_exported(form, when), said) for who, when, said in chat
    ]
    assert not found.skipped


@pytest.mark.parametrize("form", [f for f in FORMATS if "%H:%M]" in f])
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(chat=chats(longest_gap=3 * 24 * 60, least=60))
def test_the_order_of_the_date_is_learnt_from_the_whole_chat(
    form: str, chat: list[tuple[str, datetime, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In a chat of some weeks the order of day, month and year needs no setting."""
    path = tmp_path_factory.mktemp("chat") / "chat.txt"
    path.write_text(render(form, chat), encoding="utf-8")
    found = read(path, "whatsapp")
    assert [p.created for p in found.posts] == [as_exported(form, when) for _, when, _ in chat]


def test_every_header_format_known_to_whatstk_is_read(tmp_path: Path) -> None:
    """The list of header formats seen in the wild is covered."""
    known = json.loads(real("whatsapp/whatstk/header_format_support.json").read_text())
    when = datetime(2020, 1, 25, 13, 5, 9)
    for n, form in enumerate(k["format"] for k in known):
        path = tmp_path / f"{n}.txt"
        path.write_text(render(form, [("Ann", when, "hoi")]))
        found = read(path, "whatsapp", date_order=order_of(form))
        assert [(p.author.reveal(), p.created) for p in found.posts] == [("Ann", as_exported(form, when))], form


REAL = {
    "chat-miner-whatsapp/test_ddmmyy_24hrs.txt": (6, {"system message": 3}),
    "chat-miner-whatsapp/test_mmddyy_24hrs.txt": (6, {"system message": 3}),
    "huizerd-nl-ios/_chat.txt": (26, {}),
    "whatstk/lorem-2000.txt": (2000, {}),
    "whatstk/lorem-merge-part1.txt": (300, {}),
    "whatstk/lorem-merge-part2.txt": (300, {}),
    "whatstk/lorem.txt": (500, {}),
    "whatstk/pokemon.txt": (18, {"system message": 2}),
}


@pytest.mark.parametrize(("file", "posts", "skipped"), [(f, *expected) for f, expected in REAL.items()])
def test_every_line_of_a_real_export_is_a_post_or_has_a_reason(file: str, posts: int, skipped: dict[str, int]) -> None:
    """Each message of the real exports is counted once, under its own id."""
    path = real("whatsapp") / file
    found = read(path)
    assert (len(found.posts), dict(found.skipped)) == (posts, skipped)
    assert len(set(found.ids)) == posts


@pytest.mark.parametrize("file", ["test_ddmmyy_24hrs.txt", "test_mmddyy_24hrs.txt"])
def test_two_exports_of_one_chat_in_other_date_orders_say_the_same(file: str) -> None:
    """Day first or month first: the messages equal those that another parser's authors expect."""
    folder = real("whatsapp/chat-miner-whatsapp")
    wanted = json.loads((folder / "target.json").read_text(encoding="utf-8"))
    found = read(folder / file)
    told = [
        {
            "timestamp": p.created.astimezone(ZONE).replace(tzinfo=None).isoformat(),
            "author": p.author.reveal(),
            "message": p.text.reveal().replace("\n", " "),
        }
        for p in found.posts
    ]
    assert told == wanted[::-1]


def test_the_dutch_ios_export_keeps_its_marked_lines() -> None:
    """Lines with U+200E before the bracket are messages, and "image" behind such a mark is a photo."""
    found = read(real("whatsapp/huizerd-nl-ios/_chat.txt"))
    assert sum(p.media == ("photo",) for p in found.posts) == 8
    assert "image" not in found.texts


def test_a_later_export_of_the_same_chat_brings_only_what_is_new(tmp_path: Path) -> None:
    """Messages that both exports hold have the same ids; identical messages of one minute are told apart."""
    lines = [f"05-11-24 10:{n // 3:02} - Ann: ja {n % 2}\n" for n in range(60)]
    first, later = tmp_path / "WhatsApp-chat met Buurt.txt", tmp_path / "WhatsApp-chat met Buurt (1).txt"
    first.write_text("".join(lines[:40]))
    later.write_text("".join(lines))
    before, after = read(first).ids, read(later).ids
    assert after[:40] == before
    assert len(set(after)) == 60


def test_an_export_with_media_and_one_without_hold_the_same_posts(tmp_path: Path) -> None:
    """A photo that was left out of one export is the photo that the other names."""
    ids = []
    for n, photo in enumerate(("<Media weggelaten>", "IMG-20241113-WA0001.jpg (bestand bijgevoegd)")):
        path = tmp_path / f"{n}.txt"
        path.write_text(f"13-11-24 10:00 - Ann: {photo}\n13-11-24 10:00 - Ann: {photo}\n", encoding="utf-8")
        ids.append(read(path).ids)
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


def test_two_chats_with_the_same_message_keep_both(tmp_path: Path) -> None:
    """An alert that one person sends to two groups in one minute is two posts."""
    ids = set()
    for group in ("Noord", "Zuid"):
        path = tmp_path / f"WhatsApp-chat met {group}.txt"
        path.write_text("05-11-24 10:00 - Ann: Let op, witte bus\n")
        ids.update(read(path).ids)
    assert len(ids) == 2


WORDS = [
    ("<Media weggelaten>", "", ("media",)),
    ("<Media omitted>", "", ("media",)),
    ("<Medien ausgeschlossen>", "", ("media",)),
    (f"{LRM}afbeelding weggelaten", "", ("photo",)),
    (f"{LRM}Bild weggelassen", "", ("photo",)),
    (f"{LRM}video omitted", "", ("video",)),
    (f"{LRM}sticker weggelaten", "", ("sticker",)),
    (f"{LRM}<bijgevoegd: 00000012-PHOTO-2024-11-05-10-42-11.jpg>", "", ("photo",)),
    (f"{LRM}<attached: 00000013-AUDIO-2024-11-05-10-42-11.opus>", "", ("audio",)),
    (f"Kijk dan {LRM}<Anhang: 00000014-VIDEO-2024-11-05-10-42-11.mp4>", "Kijk dan", ("video",)),
    ("IMG-20241105-WA0003.jpg (bestand bijgevoegd)\nvan gisteren", "van gisteren", ("photo",)),
    ("PTT-20241105-WA0003.opus (file attached)", "", ("audio",)),
    ("Kaart van de buurt.pdf (Datei angehängt)", "", ("file",)),
    (f"Verslag.pdf • {LRM}1 pagina {LRM}document weggelaten", "Verslag.pdf • 1 pagina", ("file",)),
    (f"{LRM}Locatie: https://maps.example/?q=1", "Locatie: https://maps.example/?q=1", ("location",)),
    (
        f"{LRM}PEILING:\nKomen jullie?\n{LRM}OPTIE: Ja ({LRM}2 stemmen)",
        "PEILING:\nKomen jullie?\nOPTIE: Ja (2 stemmen)",
        ("poll",),
    ),
    (f"Komt eraan {LRM}<Dit bericht is bewerkt>", "Komt eraan", ()),
    ("video", "video", ()),
    ("Dit bericht is verwijderd door mijn broer dacht ik, maar nee hoor, hij was het niet", None, ()),
]


@pytest.mark.parametrize(("written", "said", "media"), WORDS)
def test_media_are_recorded_by_kind(written: str, said: str | None, media: tuple[str, ...], tmp_path: Path) -> None:
    """What stands for media becomes a kind; the words of the sender stay, and typed words are not taken for media."""
    path = tmp_path / "_chat.txt"
    path.write_text(f"[05-11-2024 10:42:11] Ann: {written}\n[05-11-2024 10:43:11] Bo: hoi\n", encoding="utf-8")
    found = read(path)
    assert [(p.text.reveal(), p.media) for p in found.posts] == [
        (written if said is None else said, media),
        ("hoi", ()),
    ]


SKIPS = [
    ("Ann: Dit bericht is verwijderd", "deleted"),
    (f"Ann: {LRM}This message was deleted.", "deleted"),
    ("Ann: Du hast diese Nachricht gelöscht.", "deleted"),
    (f"Buurtapp: {LRM}Berichten en oproepen zijn end-to-end versleuteld.", "system message"),
    (
        "Berichten en oproepen zijn end-to-end versleuteld. Alleen deelnemers kunnen ze lezen.",
        "system message",
    ),
    ("Ann heeft Bo toegevoegd", "system message"),
    ('Ann heeft de groep "Buurt: Noord" gemaakt', "system message"),
    ('Ann changed the subject from "A: b" to "C: d"', "system message"),
    ("Ann: null", "empty message"),
    ("Ann: ", "empty message"),
]


@pytest.mark.parametrize(("written", "reason"), SKIPS)
def test_what_no_member_said_is_skipped_with_its_reason(written: str, reason: str, tmp_path: Path) -> None:
    """Deleted and system messages are counted, not stored."""
    path = tmp_path / "chat.txt"
    path.write_text(f"05-11-24 10:42 - {written}\n05-11-24 10:43 - Bo: hoi\n", encoding="utf-8")
    found = read(path, "whatsapp")
    assert (found.texts, dict(found.skipped)) == (["hoi"], {reason: 1})


ODD_HEADERS = [
    ("05.11.24, 10:42 - Ann: hoi", "2024-11-05T10:42"),
    ("11/5/24, 10:42 PM - Ann: hoi", "2024-11-05T22:42"),
    ("05/11/2024, 10:42 p.m. - Ann: hoi", "2024-11-05T22:42"),
    ("[05/11/2024, 10:42:11\u202fPM] Ann: hoi", "2024-05-11T22:42:11"),
    ("5/11/24 12:07 a. m. - Ann: hoi", "2024-05-11T00:07"),
    ("05.11.24 um 10:42 - Ann: hoi", "2024-11-05T10:42"),
    ("2024. 11. 05. 10:42 - Ann: hoi", "2024-11-05T10:42"),
    ("05/11/2024 à 10:42 - Ann : hoi", "2024-11-05T10:42"),
    ("[5/11/2024 10.42.11] Ann: hoi", "2024-05-11T10:42:11"),
    ("2024/11/05 下午10:42 - Ann: hoi", "2024-11-05T22:42"),
    (f"\ufeff{LRM}[05-11-2024 10:42:11] {LRM}Ann: hoi", "2024-11-05T10:42:11"),
]


@pytest.mark.parametrize(("written", "local"), ODD_HEADERS)
def test_headers_of_other_locales_are_read(written: str, local: str, tmp_path: Path) -> None:
    """Narrow spaces, dots, words and marks in a header do not hide a message."""
    path = tmp_path / "chat.txt"
    path.write_text(written, encoding="utf-8")
    found = read(path, "whatsapp")
    wanted = datetime.fromisoformat(local).replace(tzinfo=ZONE)
    assert [(p.author.reveal(), p.text.reveal(), p.created) for p in found.posts] == [("Ann", "hoi", wanted)]


def test_a_date_that_could_be_read_otherwise_is_told(tmp_path: Path) -> None:
    """Where nothing decides day or month first, the run's counts say that it was assumed, and a setting settles it."""
    path = tmp_path / "chat.txt"
    path.write_text("05-11-24 10:42 - Ann: hoi\n")
    assert read(path).counts == {"date order assumed": 1}
    settled = read(path, date_order="mdy")
    assert (settled.counts, settled.posts[0].created.month) == ({}, 5)


def test_the_hour_that_autumn_repeats_keeps_the_order_of_the_talk(tmp_path: Path) -> None:
    """02:50 followed by 02:10 in that night is twenty minutes later, not forty earlier."""
    path = tmp_path / "chat.txt"
    path.write_text("31-03-24 02:30 - Bo: bestaat niet\n27-10-24 02:50 - Ann: een\n27-10-24 02:10 - Bo: twee\n")
    moments = [p.created for p in read(path).posts]
    assert moments[2] - moments[1] == timedelta(minutes=20)
    assert moments[0] == datetime(2024, 3, 31, 1, 30, tzinfo=UTC)


def test_silence_divides_a_chat_into_threads(tmp_path: Path) -> None:
    """After the set number of hours without a message a new thread begins; 0 keeps the chat whole."""
    path = tmp_path / "chat.txt"
    path.write_text("".join(f"{d}-11-24 {h}:00 - Ann: {d} {h}\n" for d in (13, 14) for h in (10, 12, 22)))
    per_day = read(path).threads
    assert [per_day.index(t) for t in per_day] == [0, 0, 2, 3, 3, 5]
    assert len(set(read(path, thread_gap_hours=0).threads)) == 1
    assert len(set(read(path, thread_gap_hours=13).threads)) == 1


def test_mentions_and_numbers_are_names(tmp_path: Path) -> None:
    """A mention names its person, and a phone number as sender is the same however it is spaced."""
    path = tmp_path / "chat.txt"
    path.write_text(
        "13-11-24 10:00 - +31 6 1234 5678: hoi @\u2068Jan de Vries\u2069 en @31698765432\n", encoding="utf-8"
    )
    (post,) = read(path).posts
    assert post.author.reveal() == "+31612345678"
    assert [m.reveal() for m in post.mentions] == ["Jan de Vries", "+31698765432"]
    assert post.text.reveal() == "hoi @Jan de Vries en @31698765432"


def test_a_zip_with_media_gives_the_chat_alone(tmp_path: Path) -> None:
    """Of an export with media only the chat is read; a text that someone sent along is no chat."""
    path = tmp_path / "WhatsApp Chat - Buurt.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_chat.txt", "[13-11-2024 10:00:00] Ann: hoi\r\n")
        archive.writestr("00000002-PHOTO-2024.jpg", b"\xff\xd8\xff")
        archive.writestr("notulen.txt", "13-11-24 10:00 - Bo: geplakt\n")
    assert detect(path) == "whatsapp"
    assert read(path).texts == ["hoi"]


def test_a_pasted_piece_of_another_export_stays_text(tmp_path: Path) -> None:
    """Lines in another style than the file's own belong to the message that they stand in."""
    path = tmp_path / "chat.txt"
    path.write_text(
        "[13-11-2024 10:00:00] Ann: kijk:\n12-11-24 09:00 - Bo: dit\n"
        "[13-11-2024 10:01:00] Ann: zie je\n[13-11-2024 10:02:00] Ann: ja\n"
    )
    assert read(path).texts == ["kijk:\n12-11-24 09:00 - Bo: dit", "zie je", "ja"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_the_encoding_is_found(encoding: str, tmp_path: Path) -> None:
    """A file that was saved again in another encoding reads the same."""
    path = tmp_path / "chat.txt"
    path.write_bytes("13-11-24 10:00 - Zoë: één café\r\n".encode(encoding))
    found = read(path)
    assert (found.authors, found.texts) == (["Zoë"], ["één café"])


def test_broken_bytes_spoil_one_character(tmp_path: Path) -> None:
    """A text with broken UTF-8 is read, with a mark where the byte was."""
    path = tmp_path / "chat.txt"
    path.write_bytes("13-11-24 10:00 - Zoë: één ".encode() + b"\xff dag\n")
    assert read(path).texts == ["één \ufffd dag"]


def test_a_message_without_end_is_skipped_in_little_memory(tmp_path: Path) -> None:
    """A line of any length is passed over and counted, and the next message is read."""
    path = tmp_path / "chat.txt"
    with path.open("w") as handle:
        handle.write("13-11-24 10:00 - Ann: ")
        for _ in range(40):
            handle.write("x" * (1 << 20))
        handle.write("\n13-11-24 10:01 - Bo: hoi\n")
    found = read(path)
    assert (found.texts, dict(found.skipped)) == (["hoi"], {"message too long": 1})


@pytest.mark.parametrize("content", [b"", b"hello\nworld\n", b"\x00" * 1000, b"PK\x03\x04 broken", b"1,2,3\n" * 50])
def test_what_is_no_chat_is_refused_with_a_way_out(content: bytes, tmp_path: Path) -> None:
    """A foreign file is not sniffed, and reading it all the same says what to do without quoting it."""
    path = tmp_path / "foreign.txt"
    path.write_bytes(content)
    whatsapp = load_importer("whatsapp")
    assert not whatsapp.sniff(path)
    with pytest.raises(UnreadableExport, match=r"foreign\.txt.*(export|download)"):
        list(whatsapp.read(path, whatsapp.Settings()))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(FORMATS))
def test_no_bytes_make_it_stumble(noise: bytes, form: str) -> None:
    """Whatever stands in a file, it is read or refused in our own words."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chat.txt"
        path.write_bytes(head(form, "Ann", datetime(2024, 2, 3, 4, 5, 6)).encode() + noise)
        whatsapp = load_importer("whatsapp")
        whatsapp.sniff(path)
        items = list(whatsapp.read(path, whatsapp.Settings(date_order=order_of(form))))
        assert items
