"""The whole loop on the gold posts, by the commands a researcher gives, from the draw to the estimate."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any
from zipfile import ZipFile

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from coding import load_codebook
from coding.run import code_posts
from flows.cli import cli
from flows.errors import WrongUse
from flows.home import Home
from storage import Batch, Coding, Pseudonym
from tests.coding.field import NOW, gold_codes, gold_posts

Veldwerk = Callable[..., dict[str, Any]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A study with the gold posts in it."""
    monkeypatch.setenv("VELDWERK_HOME", str(tmp_path / "fieldwork"))
    monkeypatch.setenv("VELDWERK_KEY", token_hex(32))
    monkeypatch.delenv("VELDWERK_CASES", raising=False)
    opened = Home.open()
    opened.store.add(Batch("all", "gold", tuple(gold_posts())))
    return opened


@pytest.fixture
def veldwerk(home: Home) -> Veldwerk:
    """The command line; what it answers with --json."""

    def call(*words: object) -> dict[str, Any]:
        done = CliRunner().invoke(cli, [*map(str, words), "--json"], standalone_mode=False, catch_exceptions=False)
        if done.exception is not None:
            raise done.exception
        return dict(json.loads(done.stdout))

    return call


def annotate(path: Path, slip: int, coder: int) -> None:
    """Code an exported Label Studio file as its export comes back: gold, but every *slip*-th post loses its codes."""
    tasks = json.loads(path.read_text(encoding="utf-8"))
    for n, task in enumerate(tasks, start=1):
        assert task["predictions"] == []
        given = [] if n % slip == 0 else sorted(gold_codes()[task["data"]["post_id"]])
        result = [{"type": "choices", "value": {"choices": given}}] if given else []
        task |= {"id": n, "annotations": [{"completed_by": coder, "result": result, "was_cancelled": False}]}
    path.write_text(json.dumps(tasks), encoding="utf-8")


def decide(path: Path) -> None:
    """Decide every open disagreement by gold, as a chair does in Excel."""
    book = load_workbook(path)
    for cells in book.active.iter_rows(min_row=2):
        post, code = cells[1].value, cells[2].value
        cells[7].value = "yes" if code in gold_codes()[post] else "no"
        cells[8].value = "besproken met Henk de Vries"
    book.save(path)


@pytest.mark.slow
def test_the_whole_loop_from_the_draw_to_the_estimate(home: Home, veldwerk: Veldwerk, tmp_path: Path) -> None:
    """Draw, export, annotate, import twice, agree, adjudicate, estimate: nothing doubles, nothing is lost."""
    codebook = load_codebook()
    for _ in code_posts(home.store, "rules", codebook):
        pass

    # Draw and export, one Label Studio project a coder.
    out = tmp_path / "fieldwork" / "uit.json"
    drawn = veldwerk("sample", "all", "--n", 240, "--design", "stratified", "--by", "case,platform",
                     "--to", "label-studio", "--coders", "anna,bram", "--overlap", 1, "--out", out)  # fmt: skip
    assert [(f["coder"], f["posts"]) for f in drawn["files"]] == [("anna", 240), ("bram", 240)]
    for n, file in enumerate(drawn["files"], start=1):
        annotate(Path(file["path"]), slip=(12, 15)[n - 1], coder=n)

    # Take in, twice.
    for again in (False, True):
        for file in drawn["files"]:
            (told,) = veldwerk("annotations", "add", file["path"], "--coder", file["coder"])["annotations"]
            assert (told["new"], told["revised"], told["known"]) == ((0, 0, 240) if again else (240, 0, 0))

    # Agreement: near-perfect coders, and said so.
    agreed = veldwerk("agreement", "--resamples", 200)
    overall = agreed["lines"][0]
    assert (overall["id"], agreed["posts"], agreed["coders"]) == ("all", 240, ["anna", "bram"])
    assert overall["low"] < overall["alpha"] < overall["high"]
    assert overall["alpha"] > 0.8
    assert overall["verdict"].startswith("reliable")

    # Adjudicate in Excel; the remark that named somebody is redacted.
    open_ = veldwerk("adjudicate")["open"]
    sheet = tmp_path / "fieldwork" / "open.xlsx"
    assert veldwerk("adjudicate", "--out", sheet)["counts"] == {"open": open_, "written": open_}
    decide(sheet)
    first = veldwerk("adjudicate", "--in", sheet, "--by", "chair")["counts"]
    assert first == {"read": open_, "new": open_, "known": 0, "open": 0}
    assert veldwerk("adjudicate", "--in", sheet, "--by", "chair")["counts"]["new"] == 0
    history = veldwerk("adjudicate", "--history")["decisions"]
    assert len(history) == open_
    assert all(d["decided_by"] == "chair" and set(d["coders"]) == {"anna", "bram"} for d in history)
    assert not any("Henk" in d["reason"] for d in history)

    # Estimate: the intervals hold the truth of the 560 posts for nearly all codes, which the machine's count does not.
    found = veldwerk("estimate", "--by", "case", "--by", "platform")
    assert (found["posts"], found["gold"], found["machine"]["coder"]) == (560, 240, "rules")
    truth = {c.id: sum(c.id in g for g in gold_codes().values()) / 560 for c in codebook.codes}
    rows = {r["code"]: r for r in found["estimates"] if r["by"] == "all" and r["level"] == "code"}
    held = [c for c, r in rows.items() if r["low"] <= truth[c] <= r["high"]]
    naive = [c for c, r in rows.items() if r["naive"]["low"] <= truth[c] <= r["naive"]["high"]]
    assert len(held) >= 18
    assert len(naive) < len(held)
    assert {r["by"] for r in found["estimates"]} == {"all", "case", "platform"}
    assert all(r["posts"] >= 5 for r in found["estimates"])

    # What goes with a code, on the same footing.
    related = veldwerk("estimate", "--regress", "deviance", "--on", "case")
    assert next(c["name"] for c in related["coefficients"]) == "(intercept)"
    assert len(related["coefficients"]) == 4


@pytest.mark.slow
def test_posts_a_model_learnt_from_are_not_used_to_judge_it(home: Home, veldwerk: Veldwerk) -> None:
    """After training on the sample another coder is taken, and it is said; a second sample makes the model usable."""
    for _ in code_posts(home.store, "rules", load_codebook()):
        pass
    sample_all(veldwerk, home, 120, "anna")
    home.store.begin_coding(Coding("model-own", "model", "model", "1", "x", '{"path": "own.npz"}', datetime.now(UTC)))
    home.store.annotate("model-own", [(p, 1) for p in gold_codes()], [])
    found = veldwerk("estimate")
    assert found["machine"]["coder"] == "rules"
    assert any("learnt from all the gold" in w for w in found["warnings"])
    with pytest.raises(WrongUse, match="draw another sample"):
        veldwerk("estimate", "--coder", "model")
    sample_all(veldwerk, home, 100, "anna")
    found = veldwerk("estimate", "--coder", "model")
    assert (found["machine"]["coding"], found["gold"] <= 100) == ("model-own", True)
    assert any("learnt from is left out" in w for w in found["warnings"])


def sample_all(veldwerk: Veldwerk, home: Home, n: int, coder: str) -> None:
    """Draw a sample and code it by gold through a CSV table."""
    import csv

    (file,) = veldwerk("sample", "all", "--n", n, "--to", "csv")["files"]
    path = Path(file["path"])
    rows = list(csv.reader(path.open(encoding="utf-8-sig"), delimiter=";"))
    head = rows[0]
    for row in rows[1:]:
        for code in gold_codes()[row[head.index("post")]]:
            row[head.index(code)] = "x"
        row[head.index("done")] = "x"
    csv.writer(path.open("w", encoding="utf-8", newline="")).writerows(rows)
    veldwerk("annotations", "add", path, "--coder", coder)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("sample", "no-such-case", "--n", 5), "no case"),
        (("sample", "all"), "--n"),
        (("sample", "all", "--n", 5, "--design", "uncertain"), "veldwerk code"),
        (("sample", "all", "--n", 5, "--machine", "model"), "has coded nothing yet"),
        (("sample", "all", "--n", 5, "--coders", "../anna"), "code name"),
        (("annotations", "add", "missing.csv", "--coder", "anna"), "no such file"),
        (("agreement", "no-such-case"), "no case"),
        (("agreement", "--coder", "nobody"), "nothing is known of the coder"),
        (("adjudicate", "--in", "x.csv"), "--by"),
        (("estimate",), "veldwerk sample"),
        (("estimate", "--regress", "nonsense"), "no code or theme"),
        (("estimate", "--regress", "deviance", "--on", "weather"), "no covariate"),
    ],
)
def test_wrong_use_is_told_with_the_way_out(veldwerk: Veldwerk, words: tuple[object, ...], told: str) -> None:
    """Each is one sentence, exit code 2, and nothing is drawn or kept."""
    with pytest.raises(WrongUse, match=told):
        veldwerk(*words)


def test_planning_tells_how_many_posts(veldwerk: Veldwerk) -> None:
    """`--plan` draws nothing and answers with a number, corrected for the size of the case."""
    told = veldwerk("sample", "scam-fighters", "--plan", "--width", 0.05)
    assert (told["posts"], told["frame"]) == (103, 140)


def test_the_human_readable_answers_hold_the_same_figures(home: Home, veldwerk: Veldwerk) -> None:
    """Without --json each report is a table that names every code."""
    sample_all(veldwerk, home, 60, "anna")
    home.store.begin_coding(Coding("human-bram-1", "human", "bram", "1", "x", "{}", NOW))
    home.store.annotate("human-bram-1", [(p, 1) for p in gold_codes()], [])
    for words in (["agreement", "--pairs", "--resamples", "100"], ["estimate"]):
        done = CliRunner().invoke(cli, words, standalone_mode=False, catch_exceptions=False)
        assert done.exit_code == 0
        assert all(c.id in done.stdout for c in load_codebook().codes)
    assert "not supported" in CliRunner().invoke(cli, ["agreement"], standalone_mode=False).stdout


def test_a_file_of_several_coders_is_taken_in_whole_or_not_at_all(
    home: Home, veldwerk: Veldwerk, tmp_path: Path
) -> None:
    """When one coder of a file cannot be taken in, the others are not either; named rightly, all are."""
    veldwerk("sample", "all", "--n", 10, "--seed", 5)
    from storage import samples

    posts = [p for p, _ in samples.returnable(home.store)]
    path = tmp_path / "export.zip"
    with ZipFile(path, "w") as archive:
        for user in ("1", "2"):
            lines = (json.dumps({"post_id": p, "label": ["norms.doxing"]}) for p in posts)
            archive.writestr(f"{user}.jsonl", "\n".join(lines))
    with pytest.raises(WrongUse, match="code name"):
        veldwerk("annotations", "add", path, "--coder", "1=anna", "--coder", "2=Bram de Boer")
    with pytest.raises(WrongUse, match="2=NAME"):
        veldwerk("annotations", "add", path, "--coder", "1=anna")
    assert home.store.codings() == []
    told = veldwerk("annotations", "add", path, "--coder", "1=anna", "--coder", "2=bram")["annotations"]
    assert [(t["coder"], t["new"]) for t in told] == [("anna", 10), ("bram", 10)]


@pytest.mark.slow
def test_what_leaves_is_redacted_once_more_and_nothing_raw_is_in_a_message(home: Home, veldwerk: Veldwerk) -> None:
    """A name that the gate let pass is taken out of every exported file."""
    post = next(p for p in gold_posts())
    raw = replace(post, id=Pseudonym("paaaaaaaaaaaaaaaa"), text="Bel 06 12345678 of mail jan.de.boer@example.org")
    home.store.add(Batch("all", "gold", (raw,)))
    for to in ("csv", "xlsx", "qdpx", "label-studio", "doccano", "parquet", "cas"):
        (file,) = veldwerk("sample", "all", "--n", 561, "--to", to)["files"]
        names = {"06 12345678", "jan.de.boer@example.org"}
        assert not names & set(words_in(Path(file["path"]))), to
        assert file["posts"] == 561


def words_in(path: Path) -> list[str]:
    """The two telling strings, where they stand in a file or its members."""
    from ethics.outputs import _contents

    text = "\n".join(data.decode("utf-8", "replace") for data in _contents(path))
    return [w for w in ("06 12345678", "jan.de.boer@example.org") if w in text]
