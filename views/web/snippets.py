"""Lines that a page offers to copy, by the tool that takes them. A test runs every line with the real tool."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snippet:
    """Some lines to copy: ``place`` is the file that they belong in; empty for commands of a shell."""

    before: str
    lines: str
    label: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool, and its ways to do what the page is about."""

    name: str
    snippets: tuple[Snippet, ...]
