"""What is installed: the built wheel holds all that the packages need, and the pinned closure is complete."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = ("analysis", "cases", "coding", "collectors", "demo", "ethics", "flows", "storage")


def kept() -> set[str]:
    """Every file of the rooms that belongs to the project."""
    listed = subprocess.run(["git", "ls-files", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: what belongs to the project cannot be told from what lies about")
    return {name for name in listed.stdout.splitlines() if (ROOT / name).exists()}


@pytest.mark.slow
def test_the_wheel_holds_every_file(tmp_path: Path) -> None:
    """A wheel built from the checkout holds every file of every room, data files included."""
    shutil.rmtree(ROOT / "build", ignore_errors=True)  # an old build would hide what is forgotten now
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-2000:]
    (wheel,) = tmp_path.glob("*.whl")
    assert kept() <= set(zipfile.ZipFile(wheel).namelist())


def test_every_package_is_listed() -> None:
    """Each folder with code is named in pyproject.toml; a forgotten one would be missing once installed."""
    folders = {".".join(p.parent.relative_to(ROOT).parts) for r in ROOMS for p in ROOT.glob(f"{r}/**/*.py")}
    assert folders <= set(PROJECT["tool"]["setuptools"]["packages"])


def pinned(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(line.lower().replace("_", "-").split("==") for line in lines if line and not line.startswith("#"))


def test_every_dependency_is_pinned() -> None:
    """Each dependency, and each that those name, stands in constraints.txt with one version."""
    versions = pinned("constraints.txt")
    needed = [re.split(r"[<>=!~ ;\[]", d)[0].lower() for d in PROJECT["project"]["dependencies"]]
    assert set(needed) <= set(versions)
    left_out = {"sentence-transformers"}  # bertopic's; brings torch
    for name in versions:
        for line in requires(name) or []:
            if ";" not in line:
                wanted = re.split(r"[<>=!~ ;\[(]", line)[0].lower().replace("_", "-").replace(".", "-")
                assert wanted in {*(v.replace(".", "-") for v in versions), *left_out}, f"{name} needs {wanted}"


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-dev.txt"])
def test_constraints_name_no_place(name: str) -> None:
    """The lists of versions name no index, no address and no path: they hold on every machine."""
    lines = [x for x in (ROOT / name).read_text(encoding="utf-8").splitlines() if not x.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
