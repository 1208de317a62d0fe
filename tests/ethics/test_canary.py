"""No identity that is put in comes out anywhere: not in the store, a file, a log, an error, or Prefect's records."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import random
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

import ethics
from collectors import Mark, PlatformUnreachable, RawPost, Sealed, Skip
from ethics.audit import Trail
from flows.failure import explain
from storage import StoreError

from .canary import AUTHOR, DISPLAY, IDENTITIES, MENTION, PLANTED, SENTENCE, Search
from .entrance import KEY, Study, raw

ROOT = Path(ethics.__path__[0]).parent
SEARCH = Search()
ORDINARY = "gewone woorden zonder iets bijzonders"


def planted_posts() -> list[RawPost]:
    """Posts with an identity in every field that has room for one."""
    full = raw(
        1, SENTENCE, AUTHOR, aliases=(DISPLAY, f"@{AUTHOR}"), mentions=(MENTION,), thread=f"t/{DISPLAY}",
        reply_to=f"{AUTHOR}/1", permalink=f"https://social.example/@{AUTHOR}/1",
    )  # fmt: skip
    return [
        full,
        replace(full, id=Sealed(f"{AUTHOR}/2"), text=Sealed(f"dank @{AUTHOR}, {DISPLAY.lower()} en @{MENTION}")),
        replace(full, id=Sealed("3"), language=IDENTITIES["PERSON"], kind=AUTHOR, media=(IDENTITIES["PHONE"], DISPLAY)),
        replace(full, id=Sealed("4"), author=Sealed(IDENTITIES["PHONE"]), aliases=(Sealed(IDENTITIES["PERSON"]),)),
        replace(full, id=Sealed("5"), text=Sealed(f"[@{AUTHOR}] #{DISPLAY.replace(' ', '')} {DISPLAY.upper()}")),
    ]


def planted_items() -> list[object]:
    cursor = Sealed(json.dumps({"after": AUTHOR, "said": SENTENCE}))
    return [*planted_posts(), Skip(DISPLAY), Mark(cursor, {AUTHOR: 3, "asked": 2}), raw(9, ORDINARY, AUTHOR)]


@pytest.mark.parametrize("setting", ["careful", "readable"])
def test_nothing_planted_in_a_raw_post_is_kept(tmp_path: Path, setting: str, capfd: pytest.CaptureFixture[str]) -> None:
    """An identity in any field of what a collector yields is in no row, no file and no output."""
    study = Study(tmp_path, setting=setting)
    trail = Trail(tmp_path / "audit.jsonl", KEY.derive("audit"))
    for admission in study.admit(planted_items()):
        study.vault.add(admission.locators)
        study.store.add(admission.batch)
        trail.append("collect", counts=dict(admission.counts), skipped=dict(admission.skipped))
        assert SEARCH.within("admission", repr(admission).encode()) == []
    assert study.store.count() == 6
    assert ORDINARY in study.texts()
    assert SEARCH.in_store(study.store) == []
    # The vault is there for native ids, and for nothing else.
    native = [("locator", "native"), ("locator", "thread")]
    assert SEARCH.in_store(study.vault, spare=native) == []  # type: ignore[arg-type]
    assert SEARCH.below(tmp_path) == []
    assert SEARCH.within("output", "".join(capfd.readouterr()).encode()) == []


def test_a_failure_tells_nothing(tmp_path: Path) -> None:
    """An exception that quotes what it choked on becomes a line without it, with and without --debug."""
    study = Study(tmp_path)

    def breaking(error: Exception):
        yield from planted_posts()
        raise error

    for error in (ValueError(SENTENCE), KeyError(AUTHOR), UnicodeError(DISPLAY), PlatformUnreachable("no answer")):
        with pytest.raises(type(error)) as caught:
            study.take(breaking(error))
        for debug in (False, True):
            code, line = explain(caught.value, debug=debug)
            assert code == 1
            assert SEARCH.within("line", line.encode()) == []


def test_a_failure_of_the_store_tells_nothing(tmp_path: Path) -> None:
    """When the database refuses a batch, its message does not quote the row."""
    study = Study(tmp_path)
    (admission,) = study.admit(planted_posts())
    bad = replace(admission.batch, posts=(replace(admission.batch.posts[0], text=AUTHOR, version="x", media=(1,)),))  # type: ignore[arg-type]
    with pytest.raises(Exception) as caught:
        study.store.add(bad)
    _, line = explain(caught.value, debug=True)
    assert SEARCH.within("line", line.encode()) == []
    with pytest.raises(StoreError) as wrong:
        type(study.store)(study.store.path, b"x" * 32).count()
    assert SEARCH.within("line", str(wrong.value).encode()) == []


def test_what_is_sealed_does_not_print() -> None:
    """Neither a raw post nor a locator shows anything in a message, a log line or a traceback."""
    post = planted_posts()[0]
    assert SEARCH.within("repr", f"{post!r} {post} {post.text} {post.author!r}".encode()) == []


# ------------------------------------------------------------------------------------------- whole commands
def run(folder: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A command in a machine of its own: home, temporary folder and user's folder lie below *folder*."""
    for name in ("home", "user", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("VELDWERK_", "PREFECT_"))}
    environment |= {
        "HOME": str(folder / "user"), "TMPDIR": str(folder / "tmp"), "VELDWERK_HOME": str(folder / "home"),
        "VELDWERK_KEY": bytes(range(40, 72)).hex(), "PYTHONDONTWRITEBYTECODE": "1", **more,
    }  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=ROOT)


def leaks(folder: Path, *runs: subprocess.CompletedProcess[str]) -> list[object]:
    said = "\n".join(r.stdout + r.stderr for r in runs)
    return [*SEARCH.below(folder), *SEARCH.within("output", said.encode())]


CHAT = f"""[01-03-2025 12:00:01] {DISPLAY}: {SENTENCE}
[01-03-2025 12:01:02] +31 6 21847365: dag @{DISPLAY}
{SENTENCE}
[01-03-2025 12:02:00] {DISPLAY} heeft {IDENTITIES["PERSON"]} toegevoegd
"""
CHANNEL = {
    "name": DISPLAY, "type": "private_supergroup", "id": 1234567,
    "messages": [
        {"id": 1, "type": "service", "date": "2025-03-01T12:00:00", "date_unixtime": "1740826800", "actor": DISPLAY,
         "actor_id": "user1", "action": "invite_members", "members": [IDENTITIES["PERSON"]], "text": ""},
        {"id": 2, "type": "message", "date": "2025-03-01T12:00:00", "date_unixtime": "1740826800", "from": DISPLAY,
         "from_id": "user1", "text": ["dag ", {"type": "mention", "text": f"@{MENTION}"}, f" {SENTENCE}"],
         "forwarded_from": IDENTITIES["PERSON"], "via_bot": f"@{AUTHOR}", "author": DISPLAY},
    ],
}  # fmt: skip
TABLE = f'id,author,text,created,thread\n{AUTHOR}1,{AUTHOR},"{SENTENCE}",2025-03-01T12:00:00Z,{DISPLAY}\n'
TWEET = {
    "rest_id": "190", "__typename": "Tweet",
    "core": {"user_results": {"result": {"rest_id": "7", "core": {"screen_name": AUTHOR, "name": DISPLAY}}}},
    "legacy": {
        "created_at": "Sat Mar 01 12:00:00 +0000 2025", "full_text": f"dag @{MENTION} {SENTENCE}", "lang": "nl",
        "conversation_id_str": "180", "entities": {"user_mentions": [{"screen_name": MENTION}]},
    },
}  # fmt: skip
CAPTURE = {
    "item_id": f"{AUTHOR}9", "source_platform": "twitter.com", "timestamp_collected": 1740826800000,
    "source_platform_url": f"https://x.com/{AUTHOR}", "user_agent": DISPLAY, "data": TWEET,
}  # fmt: skip

POST = {
    "id": "abc", "subreddit": "Tilburg", "title": f"Wie kent {IDENTITIES['PERSON']}", "selftext": SENTENCE,
    "author": AUTHOR, "created_utc": 1740826800, "permalink": f"/r/x/{AUTHOR}", "author_flair_text": DISPLAY,
}  # fmt: skip
ACTOR = f"https://social.example/users/{AUTHOR}"
OUTBOX = {
    "@context": "https://www.w3.org/ns/activitystreams", "id": "outbox.json", "type": "OrderedCollection",
    "orderedItems": [{"id": f"{ACTOR}/statuses/109/activity", "type": "Create", "actor": ACTOR, "object": {
        "id": f"{ACTOR}/statuses/109", "type": "Note", "published": "2025-03-01T12:00:00Z",
        "attributedTo": ACTOR, "content": f"<p>dag @{MENTION} {SENTENCE}</p>", "summary": DISPLAY,
        "to": ["https://www.w3.org/ns/activitystreams#Public"], "attachment": [],
        "tag": [{"type": "Mention", "href": f"https://x.example/users/{MENTION}", "name": f"@{MENTION}"}],
    }}],
}  # fmt: skip
GROUPS = {"group_posts_v2": [{
    "timestamp": 1740826800, "title": f"{DISPLAY} posted in {IDENTITIES['PERSON']}.", "data": [{"post": SENTENCE}],
}]}  # fmt: skip
RESULT = (
    "id,thread_id,timestamp,body,author,author_fullname,subject,url\n"
    f'{AUTHOR}7,{AUTHOR}7,2025-03-01 12:00:00,"{SENTENCE}",{AUTHOR},{DISPLAY},{DISPLAY},https://x.example/{AUTHOR}\n'
)
INTERVIEW = f"""WEBVTT

00:00:01.000 --> 00:00:09.000
<v {DISPLAY}>Wie stond er bij de brug?

00:00:10.000 --> 00:00:19.000
<v {IDENTITIES["PERSON"]}>{SENTENCE}
"""
DOCUMENT = f"# Verslag van {IDENTITIES['PERSON']}\n\n{SENTENCE}. Dat stond in het verslag, opgesteld door {DISPLAY}.\n"

FORMATS = {
    "whatsapp": ("chat.txt", CHAT), "telegram-desktop": ("result.json", json.dumps(CHANNEL, ensure_ascii=False)),
    "csv": ("posts.csv", TABLE), "zeeschuimer": ("capture.ndjson", json.dumps(CAPTURE) + "\n"),
    "reddit-dump": ("RS.ndjson", json.dumps(POST) + "\n"), "mastodon-archive": ("outbox.json", json.dumps(OUTBOX)),
    "meta-download": ("group_posts_and_comments.json", json.dumps(GROUPS)), "4cat": ("result.csv", RESULT),
    "transcripts": ("gesprek.vtt", INTERVIEW), "documents": ("verslag.md", DOCUMENT),
}  # fmt: skip


def exports(folder: Path) -> list[tuple[str, Path]]:
    """Exports with identities in every field, whole, cut short, and not of their format at all."""
    folder.mkdir()
    made = []
    for name, (file, text) in FORMATS.items():
        for kind, content in (
            ("", text),
            ("cut-", text[: len(text) * 2 // 3]),
            ("no-", f"{{{SENTENCE}\n\x00 {text[9:]}"),
        ):
            path = folder / f"{kind}{file}"
            path.write_text(content, encoding="utf-8")
            made.append((name, path))
    return made


@pytest.mark.slow
def test_nothing_planted_in_an_export_comes_out(tmp_path: Path) -> None:
    """Imports of whole and broken exports of every kind, told to show all, leave and say nothing of what is in them."""
    machine, case = tmp_path / "machine", "neighbourhood-watch"
    script = (
        "import sys, json; from flows.cli import cli; from flows.failure import explain\n"
        "for arguments in json.loads(sys.argv[1]):\n"
        "    try: cli(arguments, standalone_mode=False)\n"
        "    except SystemExit: pass\n"
        "    except Exception as error: print(*explain(error, debug=True))\n"
    )
    commands = [
        ["--debug", "import", str(path), "--case", case, "--format", wanted, "--json"]
        for format_, path in exports(tmp_path / "exports")
        for wanted in (format_, "auto")
    ]
    done = run(machine, sys.executable, "-c", script, json.dumps(commands))
    again = [
        run(machine, sys.executable, "-m", "flows", *command)
        for command in (
            [
                "--debug",
                "import",
                str(tmp_path / "exports" / "no-chat.txt"),
                "--case",
                case,
                "--format",
                "telegram-desktop",
            ],
            ["erase", "--author", DISPLAY, "--platform", "whatsapp", "--json"],
            ["--debug", "interviews", "add", str(tmp_path / "exports" / "gesprek.vtt"), "--case", case, "--json"],
            ["--debug", "documents", "add", str(tmp_path / "exports" / "verslag.md"), "--case", case, "--json"],
            ["audit", "--json"],
            ["cases", "--json"],
        )
    ]
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"case"')]
    stored = {name: told[6 * n]["stored"] for n, name in enumerate(FORMATS)}
    assert all(stored.values()), stored
    assert json.loads(again[1].stdout)["proven"], again[1].stderr
    assert leaks(machine, done, *again) == []


STUDY = """
import sys
from dataclasses import replace
import demo.fieldwork as fieldwork
from tests.ethics.canary import AUTHOR, DISPLAY, MENTION, SENTENCE
rows = fieldwork._all()
authors = lambda c: [r.author for r in rows if r.case == c]
loud = {{c: max(sorted(set(authors(c))), key=authors(c).count) for c in {{r.case for r in rows}}}}
def planted(n, r):
    name = DISPLAY if r.platform == "whatsapp" else AUTHOR
    text = f"{{r.text}} @{{MENTION}} {{SENTENCE}}" if n % 7 == 0 else r.text
    return replace(r, author=name if r.author == loud[r.case] else r.author, text=text.replace(loud[r.case], name))
kept = tuple(planted(n, r) for n, r in enumerate(rows))
fieldwork._all = lambda: kept
{fault}
from flows.cli import main
sys.argv = ["veldwerk", "study", "--json", "--debug"]
main()
"""
FAULT = """
import itertools
from tests.ethics.canary import SENTENCE
from demo.replay import Replay
turn = itertools.count()
def fault(method, path):
    n = next(turn)
    if n % 4 == 1: return 500, {"content-type": "application/json"}, SENTENCE.encode()
    if n % 9 == 2: return 200, {"content-type": "application/json"}, ('{"data": "' + SENTENCE).encode()
    return None
start = Replay.__init__
def __init__(self, port=0):
    start(self, port)
    self.fault = fault
Replay.__init__ = __init__
"""


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["", FAULT], ids=["whole", "breaking"])
def test_nothing_planted_in_a_study_comes_out(tmp_path: Path, fault: str) -> None:
    """The whole study under Prefect, with platforms that work and that break, writes no planted identity anywhere."""
    done = run(tmp_path, sys.executable, "-c", STUDY.format(fault=fault), PYTHONPATH=str(ROOT))
    told = json.loads(done.stdout)
    stored = sum(s["counts"].get("stored", 0) for s in told["steps"])
    assert stored > (500 if not fault else 100), done.stderr
    assert (tmp_path / "home" / "prefect" / "prefect.db").exists()
    assert leaks(tmp_path, done) == []


# ------------------------------------------------------------------------------------------- the search itself
LEAKS = {
    "clear": lambda v: v.encode(),
    "upper": lambda v: v.upper().encode(),
    "lower": lambda v: v.lower().encode(),
    "base64": lambda v: base64.b64encode(v.encode()),
    "base64 within": lambda v: base64.urlsafe_b64encode(b"xy" + v.encode() + b"and more"),
    "hex": lambda v: v.encode().hex().encode(),
    "md5": lambda v: hashlib.md5(v.encode()).hexdigest().encode(),
    "sha1 of lower": lambda v: hashlib.sha1(v.lower().encode()).hexdigest().encode(),
    "sha256": lambda v: hashlib.sha256(v.encode()).digest(),
    "json": lambda v: json.dumps({"x": v}).encode(),
    "gzip": lambda v: gzip.compress(v.encode()),
    "utf-16": lambda v: v.encode("utf-16"),
}


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("form", LEAKS)
def test_the_search_finds_a_leak(tmp_path: Path, name: str, form: str) -> None:
    """Every planted identity is found in every form in which it could leak, and nothing where there is none."""
    path = tmp_path / "deep" / "file.bin"
    path.parent.mkdir()
    noise = random.Random(7).randbytes(1000)
    path.write_bytes(noise)
    assert SEARCH.below(tmp_path) == []
    leak = LEAKS[form](PLANTED[name])
    path.write_bytes(leak if form == "gzip" else noise + leak + noise)
    assert name in {hit.name for hit in SEARCH.below(tmp_path)}


def test_the_search_looks_into_archives_names_and_tables(tmp_path: Path) -> None:
    """A leak is found in a member of an archive, in the name of a file, and in a row of an encrypted store."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.xml", f"<t>{DISPLAY}</t>")
    (tmp_path / f"{AUTHOR}.txt").write_text("")
    assert {h.name for h in SEARCH.below(tmp_path)} == {"DISPLAY", "AUTHOR"}
    study = Study(tmp_path / "study")
    (admission,) = study.admit([raw(1, "niets")])
    study.store.add(replace(admission.batch, posts=(replace(admission.batch.posts[0], text=SENTENCE),)))
    assert {h.name for h in SEARCH.in_store(study.store)} == set(IDENTITIES)
    assert SEARCH.below(tmp_path / "study") == []
