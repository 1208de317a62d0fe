"""
Real Label Studio and doccano on loopback: our files go in by their own doors, and what is coded there comes back.

Runs where VELDWERK_TEST_TOOLS names a folder; the tools are installed there on first use, each in an
environment of its own (`label-studio`, `doccano`), which takes minutes and 2 GB.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from coding import Mark
from coding.exchange import NONE, Task, check, doccano, label_studio, tasks_of
from coding.sampling import Plan, draw_sample
from tests.coding.field import CODES, codebook, gold_codes, gold_store

pytestmark = [pytest.mark.tools, pytest.mark.slow]
NEEDS = {
    "label-studio": ["label-studio==1.23.2"],
    "doccano": ["doccano==1.8.4", "marshmallow<4", "numpy<2"],
}
LOCAL = "127.0.0.1"


def tool(name: str) -> Path:
    """The environment of a tool, installed when it is not there yet."""
    folder = os.environ.get("VELDWERK_TEST_TOOLS")
    if not folder:
        pytest.skip("VELDWERK_TEST_TOOLS names no folder for Label Studio and doccano")
    place = Path(folder).resolve() / name
    if not (place / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        subprocess.run([place / "bin" / "pip", "install", "-q", *NEEDS[name]], check=True)
        (place / "installed").touch()
    return place


def free_port() -> int:
    with socket.socket() as s:
        s.bind((LOCAL, 0))
        return int(s.getsockname()[1])


def wait_for(url: str, seconds: float = 900) -> None:
    """Until something answers there."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if httpx.get(url, timeout=5).status_code < 500:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    pytest.fail(f"{url} did not answer within {seconds} s")


@pytest.fixture
def tasks(tmp_path: Path) -> list[Task]:
    store = gold_store(tmp_path)
    return list(tasks_of(store, draw_sample(store, Plan(20, seed=7)).id))


def as_marks(post: str, text: str) -> set[Mark]:
    """Gold as marks; the first code gets the first eight characters as evidence."""
    codes = sorted(gold_codes()[post])
    return {Mark(c, 1.0, 0, 8) if n == 0 else Mark(c) for n, c in enumerate(codes)}


# -------------------------------------------------------------------------------------------- Label Studio
@pytest.fixture
def studio(tmp_path: Path) -> Iterator[httpx.Client]:
    """A running Label Studio and a client that may use it."""
    place, port, token = tool("label-studio"), free_port(), "ab" * 20
    env = os.environ | {
        "LABEL_STUDIO_BASE_DATA_DIR": str(tmp_path / "data"), "DJANGO_DB": "sqlite", "HOME": str(tmp_path),
        "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": "", "COLLECT_ANALYTICS": "false", "LATEST_VERSION_CHECK": "false",
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true", "LABEL_STUDIO_USERNAME": "a@example.org",
        "LABEL_STUDIO_PASSWORD": "a-password-for-a-test", "LABEL_STUDIO_USER_TOKEN": token,
    }  # fmt: skip
    env.pop("PYTHONPATH", None)
    (tmp_path / "data").mkdir()
    words = ["start", "--no-browser", "--internal-host", LOCAL, "-p", str(port), "--log-level", "WARNING"]
    with (tmp_path / "studio.log").open("wb") as log:
        server = subprocess.Popen([place / "bin" / "label-studio", *words], env=env, stdout=log, stderr=log)
        try:
            wait_for(f"http://{LOCAL}:{port}/health")
            with httpx.Client(
                base_url=f"http://{LOCAL}:{port}/api", headers={"Authorization": f"Token {token}"}, timeout=60
            ) as client:
                yield client
        finally:
            server.terminate()
            server.wait(30)


def test_label_studio_takes_our_files_and_gives_back_what_was_coded(
    studio: httpx.Client, tasks: list[Task], tmp_path: Path
) -> None:
    """Its validator accepts the interface, tasks go in, two coders' work comes back to the letter, a project each."""
    out = tmp_path / "tasks.json"
    label_studio.write(out, tasks, codebook())
    config = out.with_suffix(".xml").read_text(encoding="utf-8")
    assert studio.post("/projects/validate/", json={"label_config": config}).status_code == 204
    known = {t.post: (t.version, t.text) for t in tasks}
    for coder, slip in (("anna", 0), ("bram", 3)):
        project = posted(studio, "/projects/", {"title": coder, "label_config": config})["id"]
        told = posted(studio, f"/projects/{project}/import?return_task_ids=true", json.loads(out.read_text()))
        assert told["task_count"] == 20
        wanted = {}
        for n, id_ in enumerate(told["task_ids"]):
            data = studio.get(f"/tasks/{id_}/").raise_for_status().json()["data"]
            marks = set() if slip and n % slip == 0 else as_marks(data["post_id"], data["text"])
            wanted[data["post_id"]] = marks
            posted(studio, f"/tasks/{id_}/annotations/", {"result": result(marks, data["text"]), "lead_time": 5})
        export = tmp_path / f"{coder}.json"
        export.write_bytes(studio.get(f"/projects/{project}/export?exportType=JSON").raise_for_status().content)
        coded = check(list(label_studio.read(export, codebook(), known)), known, CODES, export.name)
        assert {c.post: set(c.marks) for c in coded} == wanted
        assert len({c.annotator for c in coded}) == 1


def test_label_studio_shows_what_we_ask_it_to_show(studio: httpx.Client, tasks: list[Task], tmp_path: Path) -> None:
    """Codes shown beforehand arrive as predictions on the same words."""
    from dataclasses import replace

    shown = [replace(t, marks=tuple(as_marks(t.post, t.text))) for t in tasks]
    out = tmp_path / "tasks.json"
    label_studio.write(out, shown, codebook())
    config = out.with_suffix(".xml").read_text(encoding="utf-8")
    project = posted(studio, "/projects/", {"title": "shown", "label_config": config})["id"]
    told = posted(studio, f"/projects/{project}/import?return_task_ids=true", json.loads(out.read_text()))
    assert told["prediction_count"] == sum(bool(t.marks) for t in shown)


def result(marks: set[Mark], text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if marks:
        codes = [m.code for m in marks]
        found.append(
            {"id": "c", "from_name": "codes", "to_name": "text", "type": "choices", "value": {"choices": codes}}
        )
    for m in marks:
        if m.start is not None and m.end is not None:
            value = {"start": m.start, "end": m.end, "text": text[m.start : m.end], "labels": [m.code]}
            found.append({"id": "s", "from_name": "evidence", "to_name": "text", "type": "labels", "value": value})
    return found


def posted(client: httpx.Client, path: str, body: Any) -> Any:
    """The answer to a POST that must succeed."""
    return client.post(path, json=body).raise_for_status().json()


# ------------------------------------------------------------------------------------------------- doccano
@pytest.fixture
def docc(tmp_path: Path) -> Iterator[httpx.Client]:
    """A running doccano with its worker, bound to loopback, and a client logged in as its administrator."""
    place, port = tool("doccano"), free_port()
    home = tmp_path / "doccano"
    (home / "media").mkdir(parents=True)
    env = os.environ | {
        "DOCCANO_HOME": str(home), "DJANGO_SETTINGS_MODULE": "config.settings.production", "STANDALONE": "True",
        "DATABASE_URL": f"sqlite:////{home}/db.sqlite3", "MEDIA_ROOT": str(home / "media"), "HOME": str(tmp_path),
    }  # fmt: skip
    env.pop("PYTHONPATH", None)
    run = [place / "bin" / "doccano"]
    subprocess.run([*run, "init"], env=env, check=True, capture_output=True)
    user = ["--username", "admin", "--password", "a-password-9", "--email", "a@example.org"]
    subprocess.run([*run, "createuser", *user], env=env, check=True, capture_output=True)
    where = next(place.glob("lib/python3*/site-packages/backend"))
    with (tmp_path / "doccano.log").open("wb") as log:
        both = [
            subprocess.Popen([place / "bin" / words[0], *words[1:]], env=env, cwd=where, stdout=log, stderr=log)
            for words in (
                ["gunicorn", "--bind", f"{LOCAL}:{port}", "config.wsgi"],
                ["celery", "--app=config", "worker", "--pool=solo"],
            )
        ]
        try:
            wait_for(f"http://{LOCAL}:{port}/")
            with httpx.Client(base_url=f"http://{LOCAL}:{port}/v1", timeout=60) as client:
                login(client, "admin")
                yield client
        finally:
            for process in both:
                process.terminate()
            for process in both:
                process.wait(30)


def login(client: httpx.Client, name: str) -> None:
    client.headers.pop("Authorization", None)
    client.cookies.clear()
    key = posted(client, "/auth/login/", {"username": name, "password": "a-password-9"})["key"]
    client.cookies.clear()
    client.headers["Authorization"] = f"Token {key}"


def finished(client: httpx.Client, task: str) -> dict[str, Any]:
    """The state of a background task once it is done; fails on an error in it."""
    for _ in range(240):
        state: dict[str, Any] = client.get(f"/tasks/status/{task}").raise_for_status().json()
        if state["ready"]:
            assert not state.get("error"), state
            return state
        time.sleep(0.5)
    pytest.fail("the background task did not end")


def test_doccano_takes_our_files_and_gives_back_what_was_coded(
    docc: httpx.Client, tasks: list[Task], tmp_path: Path
) -> None:
    """Lines and labels go in; what two annotators gave comes back under each one's name, untouched posts not at all."""
    out = tmp_path / "posts.jsonl"
    doccano.write(out, tasks, codebook())
    posted(docc, "/users/create", {"username": "bram", "password1": "a-password-9", "password2": "a-password-9"})
    people = docc.get("/users").raise_for_status().json()
    bram = next(u["id"] for u in people if u["username"] == "bram")
    body = {
        "name": "x", "description": "x", "guideline": "", "project_type": "DocumentClassification",
        "resourcetype": "TextClassificationProject", "collaborative_annotation": False,
    }  # fmt: skip
    at = f"/projects/{posted(docc, '/projects', body)['id']}"
    ids = {}
    for label in json.loads(out.with_name("posts-labels.json").read_text()):
        ids[label["text"]] = posted(docc, f"{at}/category-types", label)["id"]
    roles = docc.get("/roles").raise_for_status().json()
    annotator = next(r["id"] for r in roles if r["name"] == "annotator")
    posted(docc, f"{at}/members", {"user": bram, "role": annotator})

    with out.open("rb") as file:
        upload = docc.post("/fp/process/", files={"filepond": ("posts.jsonl", file)}).raise_for_status().text.strip('"')
    form = {
        "format": "JSONL", "task": "DocumentClassification", "uploadIds": [upload], "column_data": "text",
        "column_label": "label", "delimiter": "", "encoding": "utf_8",
    }  # fmt: skip
    finished(docc, posted(docc, f"{at}/upload", form)["task_id"])
    examples = docc.get(f"{at}/examples?limit=100").raise_for_status().json()["results"]
    assert sorted(e["meta"]["post_id"] for e in examples) == sorted(t.post for t in tasks)

    wanted: dict[tuple[str, str], set[str]] = {}
    for who, part in (("admin", examples), ("bram", examples[:12])):
        login(docc, who)
        for example in part:
            post = example["meta"]["post_id"]
            wanted[who, post] = set(gold_codes()[post])
            for code in sorted(wanted[who, post]) or [NONE]:
                posted(
                    docc, f"{at}/examples/{example['id']}/categories", {"label": ids[code], "example": example["id"]}
                )
    login(docc, "admin")
    task = posted(docc, f"{at}/download", {"format": "JSONL", "exportApproved": False})["task_id"]
    finished(docc, task)
    export = tmp_path / "export.zip"
    export.write_bytes(docc.get(f"{at}/download?taskId={task}").raise_for_status().content)
    known = {t.post: (t.version, t.text) for t in tasks}
    coded = check(list(doccano.read(export, codebook(), known)), known, CODES, "export.zip")
    assert {(c.annotator, c.post): {m.code for m in c.marks} for c in coded} == wanted
