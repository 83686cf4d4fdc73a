"""Every Python example in the README, in docs/ and in the docstrings of src/ is executed.

One test is one page: its examples run in order and share a namespace, in an empty folder, with no network but
the loopback. CONTRIBUTING.md tells the author of a page what a page can use.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import doctest
import gc
import inspect
import io
import os
import re
import socket
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
from sybil import Document, Example
from sybil.document import PythonDocStringDocument
from sybil.example import NotEvaluated, SybilFailure
from sybil.parsers.abstract import AbstractCodeBlockParser
from sybil.parsers.markdown.lexers import DirectiveInHTMLCommentLexer, RawFencedCodeBlockLexer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = [file for file in sorted((ROOT / "src").rglob("*.py")) if "```" in file.read_text(encoding="utf-8")]
OUTPUT = 'text title="Output"'
NOT_RUN = {"bash", "console", "dotenv", "http", "ini", "json", "make", "mermaid", "text", "toml", "yaml"}
"""What a block that is not executed is fenced as; any other word is a misspelt `python`."""


class DocStrings(PythonDocStringDocument):
    """The docstrings of a source file; their examples import what they use, as a reader's code would."""

    def import_document(self, example: Example) -> None:
        self.pop_evaluator(self.import_document)
        raise NotEvaluated


class Blocks(AbstractCodeBlockParser):
    """The blocks fenced as `info`, with or without a title, and the invisible ones in an HTML comment."""

    def __init__(self, info: str, evaluator: Callable[[Example], str | None]) -> None:
        word = re.escape(info)
        fence = re.compile(rf"(?P<arguments>{word})(?:[ \t][^\n]*)?$\n", re.MULTILINE)
        comment = DirectiveInHTMLCommentLexer("invisible-code-block", arguments=word)
        super().__init__([RawFencedCodeBlockLexer(fence), comment], info, evaluator)


class Page:
    """One document and the module in which its examples run."""

    def __init__(self, path: Path) -> None:
        kind = DocStrings if path.suffix == ".py" else Document
        self.document = kind.parse(str(path), Blocks("python", self.execute), Blocks(OUTPUT, self.compare))
        self.module = ModuleType(f"page_{path.stem}")
        self.module.__file__ = str(path)
        self.document.namespace = vars(self.module)
        self.printed = ""

    def run(self) -> None:
        """Run every example; all that `await` at the top level share one event loop."""
        with asyncio.Runner() as self.runner:
            for example in self.document.examples():
                example.evaluate()

    def execute(self, example: Example) -> str | None:
        """Run a block, as it stands or as a session with prompts."""
        if example.parsed.startswith(">>>"):
            return self.execute_session(example)
        source = "\n" * (example.line + example.parsed.line_offset) + example.parsed
        code = compile(source, example.path, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        with contextlib.redirect_stdout(io.StringIO()) as stdout:
            result = eval(code, example.namespace)
            if inspect.iscoroutine(result):
                self.runner.run(result)
        self.printed = stdout.getvalue()
        return None

    def execute_session(self, example: Example) -> str:
        parser = doctest.DocTestParser()
        session = parser.get_doctest(example.parsed, {}, self.module.__name__, example.path, example.line)
        session.globs = example.namespace
        report: list[str] = []
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(session, out=report.append, clear_globs=False)
        return "".join(report)

    def compare(self, example: Example) -> str | None:
        """Compare an output block with what the block before it printed; `...` stands for anything."""
        checker = doctest.OutputChecker()
        want = doctest.Example("", f"{example.parsed.rstrip()}\n")
        got = f"{self.printed.rstrip()}\n"
        if checker.check_output(want.want, got, doctest.ELLIPSIS):
            return None
        return checker.output_difference(want, got, doctest.ELLIPSIS)


def languages(path: Path) -> list[str]:
    """The first word behind each opening fence."""
    fences = RawFencedCodeBlockLexer(re.compile(r"(?P<info>[^\n]*)\n"))
    document = Document(path.read_text(encoding="utf-8"), str(path))
    return [region.lexemes["info"].partition(" ")[0] for region in fences(document)]


def on_loopback_only(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and name.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if name not in {None, "localhost", "127.0.0.1", "::1"}:
            raise AssertionError(f"an example on a page must not reach {name}: send it to DEMO_URL")
        return resolve(host, *args, **options)

    return getaddrinfo


@pytest.fixture
def demo_url() -> Iterator[str]:
    """The address of a demo server of the page's own."""
    from stubwire.demo.server import DemoServer

    with DemoServer() as server:
        yield server.url


@pytest.fixture
def run_page(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Callable[[Path], None]]:
    """Run a page as a reader would: in an empty folder, with nothing in the environment that answers for them."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "STRIPE_"))}

    def run(path: Path) -> None:
        page = Page(path)
        if "DEMO_URL" in page.document.text:
            page.document.namespace["DEMO_URL"] = request.getfixturevalue("demo_url")
        monkeypatch.setitem(sys.modules, page.module.__name__, page.module)
        monkeypatch.setattr(socket, "getaddrinfo", on_loopback_only(socket.getaddrinfo))
        monkeypatch.setattr(sys, "path", [*sys.path])
        monkeypatch.chdir(tmp_path)
        page.run()

    with mock.patch.dict(os.environ, clean, clear=True):
        yield run
    gc.collect()  # what a page left open is reported here, not in a later test


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [*PAGES, *SOURCES], ids=relative)
def test_the_examples_of_a_page_run(path: Path, run_page: Callable[[Path], None]) -> None:
    run_page(path)


@pytest.mark.parametrize("path", [*PAGES, *SOURCES], ids=relative)
def test_a_page_names_the_language_of_every_block(path: Path) -> None:
    """A block fenced as `py` or as nothing would silently not run."""
    assert set(languages(path)) - NOT_RUN - {"python"} == set()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```python\nassert 1 == 2, 'plain'\n```\n", "plain"),
        ('=== "Tab"\n\n    ```python title="a.py"\n    raise AssertionError("titled")\n    ```\n', "titled"),
        ("<!-- invisible-code-block: python\nx = 1\n-->\n```python\nassert x == 2, x\n```\n", "1"),
        ("```python\nimport asyncio\nawait asyncio.sleep(0)\nraise AssertionError('awaited')\n```\n", "awaited"),
        ("```python\n>>> 1 + 1\n3\n```\n", "Expected:\n    3\nGot:\n    2"),
        (f"```python\nprint('one')\n```\n```{OUTPUT}\ntwo\n```\n", "Expected:\n    two\nGot:\n    one"),
        ("```python\nimport socket\nsocket.getaddrinfo('api.github.com', 443)\n```\n", "must not reach api.github.com"),
    ],
    ids=["plain", "titled", "invisible", "await", "session", "output", "network"],
)
def test_an_example_that_is_wrong_fails(
    text: str, message: str, tmp_path: Path, run_page: Callable[[Path], None]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises((AssertionError, SybilFailure), match=re.escape(message)):
        run_page(page)


def test_a_page_has_a_module_of_its_own(tmp_path: Path, run_page: Callable[[Path], None]) -> None:
    """A class of one block is found by the next, also by a late annotation and through its module."""
    page = tmp_path / "page.md"
    page.write_text(
        "```python\nimport sys\nclass A:\n    pass\n```\n"
        "```python\nimport typing\nassert sys.modules[A.__module__].A is A\n"
        "def f() -> 'A': ...\nassert typing.get_type_hints(f)['return'] is A\n"
        "print('it is 12 o\\'clock')\n```\n"
        f"```{OUTPUT}\nit is ... o'clock\n```\n",
        encoding="utf-8",
    )
    run_page(page)
    assert "page_page" in sys.modules


def test_a_docstring_of_a_source_file_is_a_page(tmp_path: Path, run_page: Callable[[Path], None]) -> None:
    source = tmp_path / "source.py"
    source.write_text('def f():\n    """Says.\n\n    ```python\n    raise AssertionError("ran")\n    ```\n    """\n')
    with pytest.raises(AssertionError, match="ran"):
        run_page(source)


def test_a_misspelt_language_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```py\n1\n```\n\n```\n2\n```\n\n~~~python title='x'\n3\n~~~\n", encoding="utf-8")
    assert languages(page) == ["py", "", "python"]
