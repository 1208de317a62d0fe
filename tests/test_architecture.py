"""The house: who may import whom, who may open what is sealed, and what Prefect may see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ethics

ROOT = Path(ethics.__path__[0]).parent
MAY_IMPORT = {
    "storage": set[str](),
    "collectors": set[str](),
    "ethics": {"collectors", "storage"},
    "coding": {"storage"},
    "analysis": {"coding", "storage"},
    "cases": set[str](),
    "demo": set[str](),
    "flows": {"collectors", "storage", "ethics", "coding", "analysis", "cases", "demo"},
}
MODULES = sorted(path for package in MAY_IMPORT for path in (ROOT / package).rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in MODULES]


def package_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> Iterator[str]:
    """The full names of all that a module imports, wherever in it, also by name in a string."""
    here = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: len(here) - node.level]) if node.level else ""
            yield ".".join(filter(None, (base, node.module)))


def uses(path: Path, names: set[str]) -> list[str]:
    """Where attributes of these names stand, or such a name is asked for by `getattr`."""
    found = []
    for node in ast.walk(tree(path)):
        attribute = node.attr if isinstance(node, ast.Attribute) else None
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "attrgetter", "operator.attrgetter"):
            attribute = next((a.value for a in node.args if isinstance(a, ast.Constant) and a.value in names), None)
        if attribute in names:
            found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_imports_go_one_way(path: Path) -> None:
    """A package imports only those below it."""
    package = package_of(path)
    ours = {name.split(".")[0] for name in imported(path)} & MAY_IMPORT.keys()
    assert ours - {package} <= MAY_IMPORT[package]


def test_the_graph_has_no_circle() -> None:
    """Following what may be imported never leads back."""

    def below(package: str, seen: tuple[str, ...] = ()) -> None:
        assert package not in seen
        for other in MAY_IMPORT[package]:
            below(other, (*seen, package))

    for package in MAY_IMPORT:
        below(package)


def test_every_package_is_in_the_graph() -> None:
    """A folder with code that is not in the graph would escape it."""
    found = {p.parent.name for p in ROOT.glob("*/__init__.py")}
    assert found - {"tests", "bench"} == MAY_IMPORT.keys()


BACK_TO_THE_PLATFORM = {"collectors/__init__.py", "collectors/_cursor.py"}
"""The type itself, and the one seam at which a collector hands its own cursor or native id back to its platform."""


def test_only_ethics_opens_what_is_sealed() -> None:
    """`reveal` and what it hides are used in ethics, in the type itself and on the way back to the platform."""
    outside = [
        path for path, name in zip(MODULES, NAMES, strict=True)
        if package_of(path) != "ethics" and name not in BACK_TO_THE_PLATFORM
    ]  # fmt: skip
    assert [use for path in outside for use in uses(path, {"reveal", "_value"})] == []
    assert any(uses(p, {"reveal"}) for p in MODULES if package_of(p) == "ethics")


def test_storage_cannot_name_a_raw_type() -> None:
    """What has not passed the gate has no name in storage and coding, not even in a comment."""
    for path in MODULES:
        if package_of(path) in ("storage", "coding", "analysis"):
            assert not re.search(r"\b(RawPost|Sealed)\b", path.read_text(encoding="utf-8")), path


def test_only_the_store_opens_duckdb() -> None:
    """One place opens the database, so that one place encrypts it and waits for its turn."""
    places = {use.split(":")[0] for path in MODULES for use in uses(path, {"connect"}) if "duckdb" in path.read_text()}
    assert places == {"storage/store.py"}


def test_only_storage_asks_the_store() -> None:
    """Others may hold several calls together in a transaction, but none takes the connection or asks in SQL."""
    for path in MODULES:
        if package_of(path) != "storage":
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"\.transaction\(\) as |\b(store|vault)\.query\(", text), path


def test_the_vault_is_used_by_ethics_and_flows_only() -> None:
    """Native ids are nobody's business in coding, analysis and collectors."""
    for path in MODULES:
        if "storage.vault" in set(imported(path)):
            assert package_of(path) in ("ethics", "flows"), path


PLAIN = {
    "Path", "str", "int", "bool", "float", "date", "datetime", "None", "Receipt", "list[Receipt]", "list[str]",
    "str | None", "int | None", "datetime | None", "date | None", "list[str] | None", "dict[str, int]",
    "dict[str, str]", "tuple[str, ...]", "Place",
}  # fmt: skip


def prefect_functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path in sorted((ROOT / "flows").rglob("*.py")):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef) and any(
                re.match(r"(prefect\.)?(task|flow)\b", ast.unparse(d)) for d in node.decorator_list
            ):
                yield path, node


def test_prefect_sees_no_person() -> None:
    """Every task and flow takes and gives only ids, paths, dates, counts and receipts."""
    found = list(prefect_functions())
    assert found
    for path, function in found:
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        told = {ast.unparse(a.annotation) for a in arguments if a.annotation} | {
            ast.unparse(function.returns or ast.Name("None"))
        }
        assert told <= PLAIN, f"{path.name}: {function.name}: {told - PLAIN}"
        assert all(a.annotation for a in arguments)


def test_prefect_keeps_no_results() -> None:
    """No task or flow persists what it returns, and none caches."""
    for path, function in prefect_functions():
        decorator = " ".join(map(ast.unparse, function.decorator_list))
        assert "persist_result=False" in decorator, f"{path.name}: {function.name}"
        assert "task(" not in decorator or "NO_CACHE" in decorator, f"{path.name}: {function.name}"


def test_nothing_is_pickled() -> None:
    """No module pickles: a pickle runs code, and keeps what should not be kept."""
    for path in MODULES:
        assert not {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "joblib"} & set(imported(path)), path
