"""
The store at 200,000 posts: how fast, how flat, how long one waits.

    python -m bench.store rows        posts a second into the store alone, duplicates looked for
    python -m bench.store flat        streaming and coding bookkeeping at 20,000 and 200,000 posts, memory
    python -m bench.store questions   find, sample frame, figures, export, second redaction, rewrite, backup at 200,000
    python -m bench.store together    how long ten processes of mixed work wait for their turns
    python -m bench.store pipeline    import, protect, store and code 20,000 and 200,000 posts, memory

Each figure is a line of JSON: wall seconds, and the processor's seconds, which tell more on a busy machine.
`--posts N` takes another number than 200,000, `--home DIR` keeps the stores of one run for the next.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

from storage import Batch, Disclosure, Post, Pseudonym, Store

KEY = bytes(range(32))
CASES = ("neighbourhood-watch", "hostage-factfinding", "justice-for-victim", "scam-fighters")
START = datetime(2024, 1, 1, tzinfo=UTC)


def vocabulary() -> list[str]:
    """The words of the shipped gold texts, as often as they stand there."""
    folder = files("demo") / "gold" / "train"
    lines = [x for f in folder.iterdir() if f.name.endswith(".jsonl") for x in f.read_text("utf-8").splitlines()]
    return [word for line in lines for word in json.loads(line)["text"].split()]


def posts(count: int, first: int = 0) -> Iterator[Post]:
    """Posts of 5 to 60 words, thread by thread as a collector brings them."""
    words, r = vocabulary(), random.Random(first)
    for n in range(first, first + count):
        thread = n // 12
        yield Post(
            id=Pseudonym(f"p{n * 2654435761 % 2**64:016x}"), case=CASES[thread % 4], platform="reddit", source="made",
            author=Pseudonym(f"a{r.randint(0, 20_000):016x}"), text=" ".join(r.choices(words, k=r.randint(5, 60))),
            thread=Pseudonym(f"t{thread * 40503 % 2**32:016x}"), created=START + timedelta(seconds=60 * n),
            collected_at=START, run="run", disclosures=(Disclosure("PERSON", 1),) if n % 5 == 0 else (),
        )  # fmt: skip


def batches(count: int, size: int, first: int = 0) -> Iterator[Batch]:
    made = posts(count, first)
    while some := tuple(islice(made, size)):
        yield Batch(CASES[0], "made", some)


def memory() -> int:
    """The most memory this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def timed(what: str, work: Callable[[], Any], *, per: int = 0, **facts: object) -> Any:
    """Do *work* and print what it took; *per* is how many posts it went through."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    told: dict[str, object] = {"what": what, "seconds": round(wall, 3), "cpu_seconds": round(cpu, 3)}
    if per:
        told |= {"posts": per, "posts_a_second": round(per / wall), "microseconds_a_post": round(wall / per * 1e6, 1)}
        told |= {"posts_a_cpu_second": round(per / max(cpu, 1e-9))}
    print(json.dumps({**told, **facts, "peak_mb": memory()}), flush=True)
    return result


def filled(home: Path, count: int, name: str = "store") -> Store:
    """A store with that many posts; kept for the next run where it lies."""
    store = Store(home / f"{name}-{count}.duckdb", KEY)
    for batch in batches(count - store.count(), 20_000, store.count()):
        store.add(batch)
    return store


# ---------------------------------------------------------------------------------------------------- the parts
def rows(home: Path, count: int) -> None:
    """Into an empty store, then the same again; in batches as big as a collector's page and as an import's."""
    for size in (1000, 2000, 10_000, 50_000):
        store = Store(home / f"rows-{size}.duckdb", KEY)
        made = list(batches(min(count, 40 * size), size))
        many = sum(len(b.posts) for b in made)
        store.count()
        timed("new posts", lambda made=made, store=store: [store.add(b) for b in made], per=many, batch=size)  # type: ignore[misc]
        timed("duplicates", lambda made=made, store=store: [store.add(b) for b in made], per=many, batch=size)  # type: ignore[misc]
        store.path.unlink()


def flat(home: Path, count: int) -> None:
    """The same work at a tenth and at the whole."""
    for many in (count // 10, count):
        store = filled(home, many)
        timed("stream all posts", lambda store=store: sum(1 for _ in store.posts()), per=many)  # type: ignore[misc]
        timed("what a coder has seen", lambda store=store: _mark_all(store), per=many)  # type: ignore[misc]
        timed("stream annotations", lambda store=store: sum(1 for _ in store.annotation_stream("c")), per=many)  # type: ignore[misc]


def _mark_all(store: Store) -> None:
    from storage import Annotation, Coding

    with store.transaction() as db:
        db.execute("delete from coded where coding = 'c'")
        db.execute("delete from annotation where coding = 'c'")
    store.begin_coding(Coding("c", "rules", "rules", "1", "d", "{}", START))
    stream = store.posts(not_coded_by="c")
    while some := list(islice(stream, 2000)):
        marks = [Annotation("c", p.id, code, 1.0, 0, 5, "r") for p in some for code in ("tools.osint", "norms.doxing")]
        store.annotate("c", [(p.id, p.version) for p in some], marks)


def questions(home: Path, count: int) -> None:
    """What a researcher waits for."""
    from storage import overview, samples
    from storage.backup import back_up
    from storage.search import find

    store = filled(home, count)
    _mark_all(store)
    for query in ("aangifte", "fietsen gestolen", '"de politie"', 'loop "in de buurt"', "de man in de straat"):
        timed("find", lambda query=query: find(store, query), query=query)  # type: ignore[misc]
    timed("sample frame", lambda: samples.frame(store))
    timed("marks for a sample", lambda: samples.marks(store, "c"))
    timed("figures of all codes", lambda: overview.code_figures(store, "c"))
    timed("figures of disclosures", lambda: overview.disclosures_by_type(store, CASES[0]))
    timed("quotable posts of all codes", lambda: overview.quotable(store, "c", 5))
    for ending in (".parquet", ".csv", ".sqlite"):
        out = home / f"x{ending}"
        timed(f"write {ending}", lambda out=out: _write(store, out), per=count)  # type: ignore[misc]
    for processes in (1, None):
        work = partial(_release, store, 20_000, processes)
        timed("second redaction", work, per=20_000, processes=processes or "all cores")
    timed("rewrite", store.rewrite, megabytes=store.path.stat().st_size >> 20)
    study = home / "study"
    study.mkdir(exist_ok=True)
    (study / "corpus.duckdb").unlink(missing_ok=True)
    os.link(store.path, study / "corpus.duckdb")
    timed("backup, read back", lambda: back_up(study, home / "study.backup", KEY, []))


def _release(store: Store, count: int, processes: int | None) -> int:
    """What `export` does besides; the processor's seconds shown leave out those of other processes."""
    from ethics.release import release_stream

    return sum(1 for _ in release_stream(islice(store.posts(), count), processes=processes))


def _write(store: Store, path: Path) -> int:
    from analysis.report.export import write
    from coding import load_codebook
    from storage.corpus import coded_posts

    return write(path, coded_posts(store, None, "rules"), load_codebook(), {})


WORKER = """
import json, sys, time
from pathlib import Path
from bench.store import KEY, batches
from storage import Store, overview, samples
from storage.queue import Queue
work, path, seconds, number = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
waits, turn = [], Queue.turn
from contextlib import contextmanager
@contextmanager
def counted(self):
    with turn(self) as waited:
        waits.append(waited)
        yield waited
Queue.turn = counted
store, end, done, stored = Store(path, KEY), time.monotonic() + seconds, 0, 0
source = batches(10**7, 500, 10**8 + number * 10**7)
while time.monotonic() < end:
    if work == "collect":
        stored += store.add(next(source)).stored; time.sleep(0.2)
    elif work == "code":
        for p in store.posts("scam-fighters", not_coded_by="none"):
            if time.monotonic() > end: break
            time.sleep(0.0005)
    elif work == "export":
        samples.frame(store); time.sleep(0.3)
    elif work == "report":
        for case in ("neighbourhood-watch", "scam-fighters"):
            overview.case_figures(store, case); overview.disclosures_by_type(store, case)
        time.sleep(0.3)
    done += 1
print(json.dumps({"work": work, "stored": stored, "waits": waits}))
"""


def together(home: Path, count: int, seconds: float = 30.0) -> None:
    """Four collections, an ad hoc one, two coders, two exporters and a report on one store."""
    store = filled(home, count, "shared")
    before = store.count()
    crew = ["collect"] * 5 + ["code"] * 2 + ["export"] * 2 + ["report"]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, work, str(store.path), str(seconds), str(n)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for n, work in enumerate(crew)
    ]
    told = [json.loads(process.communicate()[0]) for process in running]
    added = store.count() - before
    for work in dict.fromkeys(crew):
        waits = sorted(w for t in told if t["work"] == work for w in t["waits"])
        at = {f"p{q}": round(waits[min(len(waits) - 1, len(waits) * q // 100)], 3) for q in (50, 95, 99)}
        facts = {"turns": len(waits), **at, "longest": round(waits[-1], 3)}
        print(json.dumps({"what": "waiting", "work": work, "processes": crew.count(work), **facts}), flush=True)
    wanted = sum(t["stored"] for t in told)
    print(json.dumps({"what": "lost", "failed": sum(p.returncode != 0 for p in running), "posts": wanted - added}))


CHILD = """
import json, sys
from pathlib import Path
from bench.store import dump, timed
from flows.code import code_case
from flows.collect import import_path
from flows.home import Home
from flows.progress import Progress
home, count = Home(Path(sys.argv[1])), int(sys.argv[2])
case = home.case("scam-fighters")
path = home.root.with_suffix(".ndjson")
dump(path, count)
timed("import, protect, store", lambda: import_path(home, case, path, "reddit-dump", Progress()), per=count)
timed("code by rules", lambda: code_case(home, case, "rules", Progress()), per=count)
assert home.store.count() > 0.9 * count
"""


def pipeline(home: Path, count: int) -> None:
    """From an export to codes, each size in a process of its own."""
    for many in (count // 10, count):
        with tempfile.TemporaryDirectory(dir=home) as folder:
            child = [sys.executable, "-W", "ignore", "-c", CHILD, f"{folder}/home", str(many)]
            subprocess.run(child, check=True, env={**os.environ, "VELDWERK_KEY": KEY.hex()})


def dump(path: Path, count: int) -> None:
    """A Reddit dump of that many comments, written line by line."""
    with path.open("w", encoding="utf-8") as file:
        for n, post in enumerate(posts(count)):
            line = {
                "id": f"{n:x}", "author": f"user_{post.author[-6:]}", "body": post.text, "subreddit": "meldpunt",
                "link_id": f"t3_{n // 12:x}", "parent_id": f"t3_{n // 12:x}",
                "created_utc": int(post.created.timestamp()),
            }  # fmt: skip
            file.write(json.dumps(line) + "\n")


PARTS = {"rows": rows, "flat": flat, "questions": questions, "together": together, "pipeline": pipeline}


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("part", choices=PARTS)
    reader.add_argument("--posts", type=int, default=200_000)
    reader.add_argument("--home", type=Path)
    told = reader.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = told.home or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        PARTS[told.part](home, told.posts)


if __name__ == "__main__":
    main()
