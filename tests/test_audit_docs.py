"""The pages name what there is, and all of it."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import stubwire
from stubwire.settings import ClientSettings

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md")), ROOT / "benchmarks" / "README.md"]


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def first_cells(page: str, heading: str) -> set[str]:
    """What stands between backquotes in the first column of the first table under a heading."""
    _, _, below = page.partition(f"\n{heading}\n")
    rows = re.findall(r"^\|(.*?)(?<!\\)\|", below.partition("\n## ")[0], re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([^`]*)`", row)}


def extras() -> set[str]:
    project: dict[str, Any] = tomllib.loads(text(ROOT / "pyproject.toml"))
    return set(project["project"]["optional-dependencies"])


@pytest.mark.parametrize("path", [*PAGES, *sorted((ROOT / "src").rglob("*.py"))], ids=lambda path: path.name)
def test_an_extra_that_is_named_exists(path: Path) -> None:
    named = {name for group in re.findall(r"stubwire\[([a-z0-9,]+)\]", text(path)) for name in group.split(",")}
    assert named <= extras()


def test_the_readme_names_the_extras_that_add_something() -> None:
    """Every extra but those for those who work on stubwire; respx is a library of its own."""
    table = text(ROOT / "README.md").partition("\n## Install\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"\[(\w+)\]", table))
    assert named == extras() - {"testing", "test", "dev", "bench"}


def test_the_options_of_a_verb_are_these() -> None:
    cells = first_cells(text(DOCS / "declaring.md"), "## Options of a verb")
    assert {cell.partition("=")[0] for cell in cells} == set(stubwire.EndpointOptions.__annotations__)


def test_the_fields_of_settings_are_these() -> None:
    cells = first_cells(text(DOCS / "settings.md"), "## The fields that every client has")
    assert cells == set(ClientSettings.model_fields)


def test_the_tree_of_errors_is_whole() -> None:
    """The page draws every class of error that there is."""
    tree = re.findall(r"```text\n(.*?)```", text(DOCS / "errors.md"), re.DOTALL)[0]
    kinds = {
        name
        for name in stubwire.__all__
        if isinstance(kind := getattr(stubwire, name), type) and issubclass(kind, stubwire.StubwireError)
    }
    drawn = set(re.findall(r"\b[A-Z]\w*(?:Error|Timeout|Exceeded)\b", tree.replace("builtins.", "builtins_")))
    assert {name for name in drawn if name not in {"TypeError", "ValueError", "RuntimeError"}} == kinds


def test_the_reference_names_every_public_name() -> None:
    named = set(re.findall(r"^::: stubwire\.(\w+)$", text(DOCS / "api.md"), re.MULTILINE))
    assert set(stubwire.__all__) - named == set()


@pytest.mark.parametrize("module", ["auth", "plugins", "webhooks"])
def test_the_reference_names_every_public_name_of_a_module(module: str) -> None:
    named = re.findall(rf"^::: stubwire\.{module}\.(\w+)$", text(DOCS / "api.md"), re.MULTILINE)
    assert sorted(named) == sorted(importlib.import_module(f"stubwire.{module}").__all__)


@pytest.mark.parametrize(
    "path", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", DOCS / "production.md"], ids=lambda path: path.name
)
def test_a_target_of_make_that_is_named_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", text(ROOT / "Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:^\$ |`)make ([a-z]+)", text(path), re.MULTILINE)) <= targets


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_name_that_a_page_says_stubwire_has_exists(path: Path) -> None:
    """`stubwire.X` in running text, and in every example."""
    names = set(re.findall(r"(?<![\w/@.-])stubwire\.([A-Za-z]\w*)", text(path)))
    missing = {name for name in names - {"demo"} if not hasattr(stubwire, name)}
    assert missing == set()
