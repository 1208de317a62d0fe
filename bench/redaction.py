"""
How fast the redactor is, as whole processes: start-up, posts a second on one core and on all, memory.

    python -m bench.redaction [--deduce PYTHON] [TEXTS.jsonl ...]

By default the gold texts, taken REPEATS times over. With --deduce an interpreter that has deduce installed: it is
measured on the same texts in the same run, after a first start that builds its lists. On a machine that does other
work as well, compare posts a CPU second.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from importlib.resources import files
from pathlib import Path

REPEATS = 3

CHILD = """
import json, resource, sys, time
begin = time.perf_counter()
{prepare}
find("Jan de Vries")
ready = time.perf_counter()
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
start, used = time.perf_counter(), time.process_time()
{run}
done, used = time.perf_counter(), time.process_time() - used
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
rates = {{"posts/s": len(texts) / (done - start), "posts/CPU s": len(texts) / used}}
print(json.dumps({{"start-up s": ready - begin, **rates, "MB": memory}}))
"""
PREPARE = "from ethics.redaction import Redactor\nredactor = Redactor(sys.argv[2])\nfind = redactor.find"
IN_BATCHES = CHILD.format(
    prepare=PREPARE, run="for i in range(0, len(texts), 500): redactor.find_many(texts[i:i + 500])"
)
ONE_BY_ONE = CHILD.format(prepare=PREPARE, run="for t in texts: find(t)")
DEDUCE = CHILD.format(
    prepare="import deduce\nfind = deduce.Deduce(cache_path=sys.argv[2]).deidentify", run="for t in texts: find(t)"
)


def measured(python: str, program: str, *arguments: str) -> dict[str, float]:
    """The figures of one process of its own."""
    done = subprocess.run([python, "-c", program, *arguments], capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def all_cores(path: Path, posts: int) -> dict[str, float]:
    """`veldwerk redact` from its start to its end, with all cores."""
    start = time.perf_counter()
    with path.open("rb") as lines:
        subprocess.run([sys.executable, "-m", "flows", "redact"], stdin=lines, stdout=subprocess.DEVNULL, check=True)
    return {"posts/s": posts / (time.perf_counter() - start)}


def texts(paths: list[str]) -> list[str]:
    """The texts of files of JSON lines; by default the gold texts, some times over."""
    gold = files("demo") / "gold"
    shipped = [Path(str(p)) for folder in ("dev", "train") for p in (gold / folder).iterdir()]
    chosen = [Path(p) for p in paths] or [p for p in shipped if p.suffix == ".jsonl"]
    lines = [line for p in sorted(chosen) for line in p.read_text(encoding="utf-8").splitlines()]
    return [json.loads(line)["text"] for line in lines] * (1 if paths else REPEATS)


def main() -> None:
    """Print a table."""
    asked = argparse.ArgumentParser(prog="python -m bench.redaction")
    asked.add_argument("--deduce", metavar="PYTHON")
    asked.add_argument("paths", nargs="*")
    told = asked.parse_args()
    posts = texts(told.paths)
    print(f"{len(posts)} posts of {sum(map(len, posts)) / len(posts):.0f} characters")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.jsonl"
        path.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in enumerate(posts)), encoding="utf-8")
        show("readable, batches", measured(sys.executable, IN_BATCHES, str(path), "readable"))
        show("careful, batches", measured(sys.executable, IN_BATCHES, str(path), "careful"))
        show("careful, one by one", measured(sys.executable, ONE_BY_ONE, str(path), "careful"))
        show("veldwerk redact, all cores", all_cores(path, len(posts)))
        if told.deduce:
            measured(told.deduce, DEDUCE, str(path), folder)
            show("deduce", measured(told.deduce, DEDUCE, str(path), folder))


def show(name: str, figures: dict[str, float]) -> None:
    """One line of the table."""
    print(f"{name:28}", "  ".join(f"{key} {value:,.1f}" for key, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()
