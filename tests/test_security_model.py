"""`SECURITY.md` names a test for each of its lines, and each of them is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
LINK = re.compile(r"\[`(tests/test_\w+\.py)::(test_\w+)`\]\((tests/test_\w+\.py)\)")
LINES = re.findall(r"^\* .+?(?=^\* |^$|^#|\Z)", PAGE, re.DOTALL | re.MULTILINE)
SECTIONS = [
    "Reporting",
    "Who attacks whom",
    "A malicious server",
    "A malicious argument",
    "A malicious link",
    "A malicious sender of webhooks",
    "Mistakes of one's own",
]


@cache
def names_in(file: str) -> set[str]:
    """The names of the tests in a file."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_its_sections_are_these() -> None:
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == SECTIONS
    assert len(LINES) == PAGE.count("\n* ") > 40


@pytest.mark.parametrize("line", LINES, ids=[" ".join(line[2:].split()[:8]) for line in LINES])
def test_each_line_names_tests_that_are_there(line: str) -> None:
    """One at least, and each link leads to the file that it names."""
    links = LINK.findall(line)
    assert links
    assert [name for file, name, target in links if name not in names_in(file) or file != target] == []


def test_no_link_is_of_another_form() -> None:
    assert len(LINK.findall(PAGE)) == PAGE.count("::") == sum(len(LINK.findall(line)) for line in LINES)


def test_a_test_that_is_gone_is_missed() -> None:
    assert "test_that_never_was" not in names_in("tests/test_security_model.py")
    assert "test_a_test_that_is_gone_is_missed" in names_in("tests/test_security_model.py")
