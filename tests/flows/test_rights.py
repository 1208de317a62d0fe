"""Rights and duties as commands: refresh against a platform, retention, erasure, the trail, the keys, the papers."""

from __future__ import annotations

import json
import re
import zipfile
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from collectors import Window
from demo.replay import Replay, Reply
from ethics.policy import Refused
from flows.cli import cli
from flows.collect import collect_source, import_path
from flows.home import Home
from flows.progress import Progress
from flows.refresh import refresh_source
from flows.retain import keep_out, retain_case
from storage.rights import suppress

CASE = "scam-fighters"
CHAT = """[01-03-2025 12:00:00] Roosmarijn Zilver: wie heeft de witte bus gezien bij de brug
[01-03-2025 12:01:00] Tjitske Goud: ja Roosmarijn die stond er gisteren ook al de hele avond
[01-03-2025 12:02:00] Tjitske Goud: ik bel de wijkagent
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A study of its own, whose case may collect."""
    folder = tmp_path / "cases"
    folder.mkdir()
    case = yaml.safe_load((files("cases") / f"{CASE}.yaml").read_text("utf-8"))
    case["policy"]["ethics_approval"] = {"reference": "ERB-2025-7", "body": "board"}
    case["policy"]["consent"] = {"reference": "CONSENT-7", "body": "administrators"}
    case["sources"] = [
        {"name": "tag", "collector": "mastodon", "settings": {"instance": "http://127.0.0.1", "hashtags": ["x"]}}
    ]
    (folder / f"{CASE}.yaml").write_text(yaml.safe_dump(case), encoding="utf-8")
    monkeypatch.setenv("VELDWERK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VELDWERK_KEY", bytes(range(60, 92)).hex())
    monkeypatch.setenv("VELDWERK_CASES", str(folder))
    return Home.open()


def veldwerk(*words: str) -> Result:
    return CliRunner().invoke(cli, words, standalone_mode=False)


def told(*words: str) -> Any:
    return json.loads(veldwerk(*words, "--json").stdout)


def chat(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(CHAT, encoding="utf-8")
    import_path(home, home.case(CASE), path, "whatsapp", Progress())


def test_refresh_follows_edits_and_deletions(home: Home) -> None:
    """An edit becomes a version in the same thread, a deletion is erased and kept out, the rest is left alone."""
    with Replay() as server:
        (played,) = [s for s in server.sources(CASE) if s.collector == "mastodon"]
        case = home.case(CASE)
        source = case.source("tag").model_copy(update={"settings": played.settings})
        home.cases[CASE] = case = case.model_copy(update={"sources": (source,)})
        collect_source(home, case, source, Window(), Progress())
        before = {p.id: p for p in home.store.posts(CASE)}
        asked: list[str] = []

        def later(method: str, path: str) -> Reply | None:
            if not re.fullmatch(r"/api/v1/statuses/\d+", path):
                return None
            asked.append(path)
            if len(asked) == 1:
                return 404, {"content-type": "application/json"}, b'{"error": "Record not found"}'
            if len(asked) == 2:
                status, headers, body = server.reply(method, path, {})
                changed = json.loads(body) | {"content": "<p>nu anders gezegd</p>"}
                return status, headers, json.dumps(changed).encode()
            return None

        server.fault = later
        receipt = refresh_source(home, case, source, Progress())
        assert receipt.counts == {"asked": 6, "edited": 1, "unchanged": 4, "gone": 1, "overdue": 0}
        after = {p.id: p for p in home.store.posts(CASE)}
        assert len(after) == len(before) - 1
        (edited,) = [p for p in after.values() if p.version == 2]
        assert edited.text == "nu anders gezegd"
        assert (edited.thread, edited.author) == (before[edited.id].thread, before[edited.id].author)
        server.fault = None
        again = collect_source(home, case, source, Window(), Progress())
        assert again.counts.get("skipped: suppressed", 0) <= 1
        assert len(list(home.store.posts(CASE))) == len(after)
    assert {e.event for e in home.audit.entries()} == {"collect", "refresh", "erase"}


def test_refresh_is_refused_like_collecting(home: Home) -> None:
    """Without approval no platform is asked."""
    case = home.case(CASE)
    bare = case.model_copy(update={"policy": case.policy.model_copy(update={"ethics_approval": None})})
    with pytest.raises(Refused):
        refresh_source(home, bare, bare.source("tag"), Progress())


def test_retention_removes_what_is_over(home: Home, tmp_path: Path) -> None:
    """After the case's days the posts go, not a day before; a dry run only counts."""
    chat(home, tmp_path)
    case = home.case(CASE)
    late = datetime.now(UTC) + timedelta(days=case.policy.retention.days)
    assert retain_case(home, case, now=late - timedelta(days=1)).counts == {}
    assert retain_case(home, case, now=late + timedelta(days=1), dry_run=True).counts == {"over: case": 3}
    assert home.store.count() == 3
    assert retain_case(home, case, now=late + timedelta(days=1)).counts == {"over: case": 3, "removed": 3}
    assert home.store.count() == 0


def test_a_platforms_days_count_from_when_it_was_last_heard(home: Home, tmp_path: Path) -> None:
    """Without a refresh a platform's posts go after its days; a refresh keeps them."""
    chat(home, tmp_path)
    case = home.case(CASE)
    retention = case.policy.retention.model_copy(update={"platforms": {"whatsapp": 30}})
    case = case.model_copy(update={"policy": case.policy.model_copy(update={"retention": retention})})
    later = datetime.now(UTC) + timedelta(days=31)
    assert retain_case(home, case, now=later, dry_run=True).counts == {"over: whatsapp": 3}


def test_what_slipped_in_during_an_erasure_is_taken_out(home: Home, tmp_path: Path) -> None:
    """A suppression entered after the posts came in is obeyed by the next nightly round."""
    chat(home, tmp_path)
    author = next(p.author for p in home.store.posts(CASE) if "wijkagent" in p.text)
    with home.store.transaction() as db:
        suppress(db, CASE, [author])
    assert keep_out(home).counts == {"erased again": 2}
    assert home.store.count() == 1


def test_erasing_by_command(home: Home, tmp_path: Path) -> None:
    """A person is erased by the name that the chat knows; the JSON tells what and proves it; she stays out."""
    chat(home, tmp_path)
    erased = told("erase", "--author", "Roosmarijn Zilver", "--platform", "whatsapp")
    assert (erased["posts"], erased["mentions"], erased["proven"]) == (1, 1, True)
    assert "[PERSOON] die stond er" in " ".join(p.text for p in home.store.posts(CASE))
    chat(home, tmp_path)
    assert home.store.count() == 2
    trail = told("audit")
    assert trail["whole"]
    assert trail["trail"][1]["event"] == "erase"
    assert "Roosmarijn" not in json.dumps(trail)


def test_a_post_is_erased_by_its_id(home: Home, tmp_path: Path) -> None:
    """An id as it stands in exports takes out that post alone; an unknown one is wrong use."""
    chat(home, tmp_path)
    post = next(p.id for p in home.store.posts(CASE))
    assert told("erase", "--post", post)["posts"] == 1
    assert home.store.count() == 2
    assert type(veldwerk("erase", "--post", post).exception).__name__ == "WrongUse"
    assert type(veldwerk("erase", "--author", "x").exception).__name__ == "WrongUse"


def test_a_tampered_trail_fails_with_its_line(home: Home, tmp_path: Path) -> None:
    """`audit` ends with exit code 1 and names the line, also when the whole trail is gone."""
    chat(home, tmp_path)
    chat(home, tmp_path)
    path = home.root / "audit.jsonl"
    whole = path.read_text()
    path.write_text(whole.replace('"stored": 3', '"stored": 2'))
    failed = veldwerk("audit", "--json")
    assert type(failed.exception).__name__ == "WorkFailed"
    assert "line 1" in str(failed.exception)
    assert json.loads(failed.stdout)["line"] == 1
    for gone in home.root.glob("audit.jsonl*"):
        gone.unlink()
    assert "no trail" in str(veldwerk("audit").exception)


def test_keys_are_shown_rotated_and_destroyed(home: Home, tmp_path: Path) -> None:
    """A rotation changes every id; destruction needs --yes and ends what can be added."""
    chat(home, tmp_path)
    assert told("keys", "show")["cases"] == {CASE: "ready"}
    before = {p.id for p in home.store.posts(CASE)}
    assert veldwerk("keys", "rotate", CASE).exit_code == 0
    assert not before & {p.id for p in home.store.posts(CASE)}
    assert "--yes" in str(veldwerk("keys", "destroy", CASE).exception)
    assert veldwerk("keys", "destroy", CASE, "--yes").exit_code == 0
    assert told("keys", "show")["cases"] == {CASE: "destroyed"}
    with pytest.raises(Refused, match="destroyed"):
        chat(home, tmp_path)


def test_a_quote_is_judged_before_it_is_approved(home: Home, tmp_path: Path) -> None:
    """Words that could be looked up need a paraphrase or a clear yes; what is entered says who approved it."""
    chat(home, tmp_path)
    post = next(p for p in home.store.posts(CASE) if "brug" in p.text)
    refused = veldwerk("quotes", "approve", post.id, "--by", "A")
    assert "9 words in a row" in str(refused.exception)
    named = veldwerk("quotes", "approve", post.id, "--by", "A", "--paraphrase", "Kees Pietersen zag een bus")
    assert "seems to name somebody" in str(named.exception)
    assert veldwerk("quotes", "approve", post.id, "--by", "A", "--paraphrase", "iemand zocht een busje").exit_code == 0
    assert veldwerk("quotes", "approve", post.id, "--by", "B", "--start", "4", "--end", "9").exit_code == 0
    register = told("quotes", "list", CASE)
    assert [(q["approved_by"], q["paraphrase"]) for q in register] == [("A", "iemand zocht een busje"), ("B", "")]
    told("erase", "--post", post.id)
    assert told("quotes", "list") == []


def test_the_papers_hold_figures_and_no_person(home: Home, tmp_path: Path) -> None:
    """Register, annex and notices name the case and what was measured; the deposit holds no post and no pseudonym."""
    chat(home, tmp_path)
    written = told("records", "--controller", "Universiteit Voorbeeld", "--contact", "avg@example.org")["files"]
    assert {Path(f).name for f in written} == {
        "register.md", "register.html", "dpia-annex.md", "dpia-annex.html", "notice-nl.md", "notice-nl.html",
        "notice-en.md", "notice-en.html", "deposit.zip",
    }  # fmt: skip
    texts = {Path(f).name: Path(f).read_text("utf-8") for f in written if not f.endswith(".zip")}
    assert "ERB-2025-7" in texts["register.md"]
    assert "3 posts of 2 authors" in texts["register.md"]
    assert "avg@example.org" in texts["notice-nl.html"]
    with zipfile.ZipFile(written[-1]) as archive:
        texts |= {name: archive.read(name).decode() for name in archive.namelist()}
    everything = "\n".join(texts.values())
    posts = list(home.store.posts(CASE))
    assert not [x for p in posts for x in (p.text, p.id, p.author, p.thread) if x in everything]
    assert f"{CASE},posts by platform,whatsapp,\n" in texts["figures.csv"]
