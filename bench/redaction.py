"""
How fast the redactor is, as whole processes: start-up, posts a second on one core and on all, memory.

    python -m bench.redaction [TEXTS.jsonl ...]     by default the gold texts, taken REPEATS times over

deduce is measured beside it on the same texts and in the same run when it is installed (`pip install deduce`).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

REPEATS = 3

CHILD = """
import json, resource, sys, time
begin = time.perf_counter()
import {module}
{prepare}
find("Jan de Vries")
ready = time.perf_counter()
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
start = time.perf_counter()
{run}
done = time.perf_counter()
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({{"start-up s": ready - begin, "posts/s": len(texts) / (done - start), "MB": memory}}))
"""
OURS = CHILD.format(
    module="ethics.redaction",
    prepare="redactor = ethics.redaction.Redactor({{setting!r}})\nfind = redactor.find",
    run="for i in range(0, len(texts), 500): redactor.find_many(texts[i:i + 500])",
)
ONE_BY_ONE = OURS.replace(
    "for i in range(0, len(texts), 500): redactor.find_many(texts[i:i + 500])", "for t in texts: find(t)"
)
DEDUCE = CHILD.format(
    module="deduce",
    prepare="tool = deduce.Deduce(cache_path=sys.argv[2])\nfind = tool.deidentify",
    run="for t in texts: find(t)",
)


def measured(program: str, *arguments: str) -> dict[str, float]:
    """The figures of one process of its own."""
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def all_cores(path: Path, posts: int) -> dict[str, float]:
    """`veldwerk redact` from its start to its end, with all cores."""
    import time

    start = time.perf_counter()
    with path.open("rb") as lines:
        subprocess.run([sys.executable, "-m", "flows", "redact"], stdin=lines, stdout=subprocess.DEVNULL, check=True)
    return {"posts/s": posts / (time.perf_counter() - start)}


def texts(paths: list[str]) -> list[str]:
    """The texts of files of JSON lines; by default the gold texts, some times over."""
    gold = files("demo") / "gold"
    chosen = [Path(p) for p in paths] or [
        Path(str(p)) for folder in ("dev", "train") for p in (gold / folder).iterdir()
    ]
    lines = [line for p in sorted(chosen) for line in p.read_text(encoding="utf-8").splitlines()]
    return [json.loads(line)["text"] for line in lines] * (1 if paths else REPEATS)


def main(paths: list[str]) -> None:
    """Print a table."""
    posts = texts(paths)
    print(f"{len(posts)} posts of {sum(map(len, posts)) / len(posts):.0f} characters")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.jsonl"
        path.write_text("".join(json.dumps({"id": i, "text": t}) + "\n" for i, t in enumerate(posts)), encoding="utf-8")
        rows = {
            "readable, batches": measured(OURS.replace("{setting!r}", "'readable'"), str(path)),
            "careful, batches": measured(OURS.replace("{setting!r}", "'careful'"), str(path)),
            "careful, one by one": measured(ONE_BY_ONE.replace("{setting!r}", "'careful'"), str(path)),
            "veldwerk redact, all cores": all_cores(path, len(posts)),
        }
        if find_spec("deduce"):
            measured(DEDUCE, str(path), folder)  # the first start builds its lists
            rows["deduce"] = measured(DEDUCE, str(path), folder)
    for name, figures in rows.items():
        print(f"{name:28}", "  ".join(f"{key} {value:,.1f}" for key, value in figures.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
