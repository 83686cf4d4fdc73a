"""The public types as mypy, pyright, ty and pyrefly see them: `typing/` holds right calls, `wrong*.py` wrong ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.checkers

ROOT = Path(__file__).parent.parent
FILES = sorted((ROOT / "tests" / "typing").glob("*.py"))
WRONG = [file for file in FILES if file.name.startswith("wrong")]
RIGHT = [file for file in FILES if file not in WRONG]
SCRIPTS = Path(sys.executable).parent
MARK = re.compile(r"# E\b")
FOUND = re.compile(r"^(?:ERROR )?(?P<file>\S+\.py):(?P<line>\d+)")
ENVIRONMENT = {
    **os.environ,
    "PATH": os.pathsep.join([str(SCRIPTS), os.environ.get("PATH", "")]),
    "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",
}


def run(*command: str) -> str:
    """What a checker prints; one that fails for another reason than errors in the files fails the test."""
    done = subprocess.run(
        [str(SCRIPTS / command[0]), *command[1:]],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def mypy(files: list[Path], folder: Path) -> str:
    return run("mypy", "--strict", "--hide-error-context", "--cache-dir", str(folder), *map(str, files))


def pyright(files: list[Path], folder: Path) -> str:
    """Pyright as it is configured, but for what it excludes."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pyright"]
    config = {"pythonVersion": options["pythonVersion"], "typeCheckingMode": options["typeCheckingMode"]}
    (folder / "pyrightconfig.json").write_text(
        json.dumps({**config, "include": [os.path.relpath(file, folder) for file in files]})
    )
    output = json.loads(run("pyright", "--project", str(folder), "--pythonpath", sys.executable, "--outputjson"))
    assert output["summary"]["filesAnalyzed"] == len(files)
    return "\n".join(
        f"{item['file']}:{item['range']['start']['line'] + 1}: {item['severity']}: {item['message']}"
        for item in output["generalDiagnostics"]
    )


def ty(files: list[Path], folder: Path) -> str:
    return run("ty", "check", "--output-format", "concise", *map(str, files))


def pyrefly(files: list[Path], folder: Path) -> str:
    return run("pyrefly", "check", "--output-format", "min-text", *map(str, files))


CHECKERS = [mypy, pyright, ty, pyrefly]


def lines_with_errors(output: str) -> dict[tuple[str, int], str]:
    """The lines a checker complains about, each with what it says first."""
    found: dict[tuple[str, int], str] = {}
    for text in output.splitlines():
        if (match := FOUND.match(text)) and ": note:" not in text:
            found.setdefault((Path(match["file"]).name, int(match["line"])), text)
    return found


def marked_lines(files: list[Path]) -> dict[tuple[str, int], str]:
    return {
        (file.name, number): text.strip()
        for file in files
        for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if MARK.search(text)
    }


@pytest.mark.parametrize("check", CHECKERS)
def test_right_calls_are_accepted(check: Callable[[list[Path], Path], str], tmp_path: Path) -> None:
    output = check(RIGHT, tmp_path)
    assert lines_with_errors(output) == {}, output


@pytest.mark.parametrize("check", CHECKERS)
def test_each_wrong_call_is_rejected_and_nothing_else(check: Callable[[list[Path], Path], str], tmp_path: Path) -> None:
    found, marked = lines_with_errors(check(WRONG, tmp_path)), marked_lines(WRONG)
    assert [text for line, text in marked.items() if line not in found] == [], "marked, and not rejected"
    assert [text for line, text in found.items() if line not in marked] == [], "rejected, and not marked"


def test_there_are_wrong_calls() -> None:
    assert len(marked_lines(WRONG)) > 100
    assert len(RIGHT) == 8


def test_every_right_file_is_seen_by_the_checkers(tmp_path: Path) -> None:
    """An error in a file of the kind that passes is found: the checkers do look."""
    file = tmp_path / "looked.py"
    file.write_text("from stubwire import ApiClient\n\nApiClient(base_ulr='')\n", encoding="utf-8")
    for check in CHECKERS:
        assert set(lines_with_errors(check([file], tmp_path))) == {("looked.py", 3)}, check.__name__


def test_every_public_symbol_is_typed() -> None:
    report = json.loads(run("pyright", "--verifytypes", "stubwire", "--ignoreexternal", "--outputjson"))
    untyped = {
        f"{symbol['name']}: {symbol['diagnostics'][0]['message'].splitlines()[0]}"
        for symbol in report["typeCompleteness"]["symbols"]
        if symbol["diagnostics"] and not (symbol["isTypeKnown"] and not symbol["isTypeAmbiguous"])
    }
    assert untyped == set()
    assert report["typeCompleteness"]["completenessScore"] == 1.0
