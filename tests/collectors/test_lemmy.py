"""Laws of the Lemmy collector, which is also the example of docs/add-a-collector.md."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import Gone, RawPost, Sealed, Window, lemmy
from tests.loopback.clock import standing
from tests.loopback.scripted import Asked, Raw, Scripted, as_json, http

from .playing import run

ROOT = Path(__file__).parents[2]
START = datetime(2025, 1, 1, tzinfo=UTC)


class Community:
    """Seven posts, each with twenty comments of which every fifth answers the one before; some deleted."""

    def __init__(self) -> None:
        self.deleted = {"comment:33", "post:2"}

    def post(self, n: int) -> dict[str, Any]:
        has = {"id": n, "name": f"titel {n}", "body": f"verhaal {n}", "published": self._stamp(n)}
        return self._view("post", has)

    def comment(self, n: int) -> dict[str, Any]:
        path = f"0.{n - 1}.{n}" if n % 5 == 0 else f"0.{n}"
        has = {"id": n, "content": f"reactie {n}", "path": path, "post_id": (n - 1) // 20 + 1}
        return self._view("comment", {**has, "published": self._stamp(100 + n)})

    def _view(self, kind: str, has: dict[str, Any]) -> dict[str, Any]:
        gone = {"deleted": f"{kind}:{has['id']}" in self.deleted, "removed": False, "ap_id": "https://x.example/1"}
        return {kind: {**has, **gone}, "creator": {"name": "piet", "actor_id": "https://x.example/u/piet"}}

    def _stamp(self, n: int) -> str:
        return (START + timedelta(minutes=n)).isoformat().replace("+00:00", "Z")

    def __call__(self, asked: Asked) -> Raw:
        query = {k: v[-1] for k, v in asked.query.items()}
        kind = asked.path.split("/")[3]
        make, size = (self.post, 7) if kind == "post" else (self.comment, 140)
        if "id" in query:
            known = query["id"].isdigit() and int(query["id"]) <= size
            return as_json({f"{kind}_view": make(int(query["id"]))}) if known else http(404)
        start = (int(query["page"]) - 1) * int(query["limit"])
        return as_json({f"{kind}s": [make(n) for n in range(1, size + 1)][start : start + int(query["limit"])]})


EVERY = {f"post:{n}" for n in range(1, 8) if n != 2} | {f"comment:{n}" for n in range(1, 141) if n != 33}


def asked_for(server: Scripted) -> dict[str, Any]:
    return {"instance": server.url, "communities": ["buurt"]}


def test_every_post_and_comment_comes_once_in_its_place() -> None:
    """Comments stand in the thread of their post, below what they answer; deleted ones are skipped."""
    with Scripted(Community()) as server, standing():
        found = run("lemmy", asked_for(server))
        again = run("lemmy", asked_for(server), Window(cursor=found.cursor))
    assert (set(found.ids), len(found.ids)) == (EVERY, len(EVERY))
    assert found.by_id["comment:25"][3:5] == ("post:2", "comment:24")
    assert found.by_id["comment:24"][3:5] == ("post:2", "post:2")
    assert found.by_id["post:3"][2:5] == ("titel 3\n\nverhaal 3", "post:3", None)
    assert found.skipped == {"deleted": 2}
    assert again.posts == []


@settings(deadline=None, max_examples=15)
@given(stops=st.lists(st.integers(0, 160), max_size=4), limit=st.none() | st.integers(30, 90))
def test_broken_and_limited_runs_lose_nothing(stops: list[int], limit: int | None) -> None:
    """However often broken off or limited, in the end everything was kept, and limits were kept too."""
    kept: set[str] = set()
    cursor = None
    with Scripted(Community()) as server, standing():
        for stop in [*stops, *[None] * 6]:
            part = run("lemmy", asked_for(server), Window(cursor=cursor, limit=limit), stop)
            assert limit is None or len(part.posts) <= limit
            kept |= set(part.ids)
            cursor = part.cursor
    assert kept == EVERY


def test_a_refresh_tells_what_is_gone() -> None:
    """What is there comes back, what is deleted or unknown is Gone."""
    ids = [Sealed(i) for i in ("post:1", "post:2", "comment:33", "comment:34", "comment:999")]
    with Scripted(Community()) as server, standing():
        found = list(lemmy.refresh(lemmy.Settings(**asked_for(server)), ids))
    assert [i.id.reveal() for i in found if isinstance(i, Gone)] == ["post:2", "comment:33", "comment:999"]
    assert [i.id.reveal() for i in found if isinstance(i, RawPost)] == ["post:1", "comment:34"]


def test_the_walk_through_shows_the_whole_file() -> None:
    """The code of docs/add-a-collector.md is the collector, word for word."""
    page = (ROOT / "docs" / "add-a-collector.md").read_text(encoding="utf-8")
    shown = "\n\n\n".join(block.strip() for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    assert shown == (ROOT / "collectors" / "lemmy.py").read_text(encoding="utf-8").strip()


def test_the_example_has_fewer_than_80_lines_of_code() -> None:
    """Lines that hold code: no blank ones, comments or docstrings."""
    source = (ROOT / "collectors" / "lemmy.py").read_text(encoding="utf-8")
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type not in quiet]
    lines = {n for t in tokens for n in range(t.start[0], t.end[0] + 1)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            lines -= set(range(node.lineno, (node.end_lineno or 0) + 1))
    assert len(lines) < 80
