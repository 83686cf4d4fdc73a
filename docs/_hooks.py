"""Lets a page be a file of the project's root: `<!-- include README.md -->`.

Links in that file are relative to the root. Here they become relative to docs/, and one that leads to a file
which is no page of the site becomes plain text.
"""

import re
from pathlib import Path
from typing import Any

INCLUDE = re.compile(r"^<!-- include (\S+) -->$", re.MULTILINE)
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")
ROOT = Path(__file__).parent.parent
PAGES = {"CHANGELOG.md": "changelog.md", "README.md": "index.md", "SECURITY.md": "security.md"}


def from_docs(link: re.Match[str]) -> str:
    page = PAGES.get(link["target"], link["target"].removeprefix("docs/"))
    if page == link["target"]:
        return link["text"]
    return f"[{link['text']}]({page}{link['anchor'] or ''})"


def included(match: re.Match[str]) -> str:
    return LINK.sub(from_docs, (ROOT / match[1]).read_text(encoding="utf-8"))


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Called by mkdocs with the text of each page."""
    return INCLUDE.sub(included, markdown)
