"""Split SQL text into its statements, each with its line; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from schema.errors import DeclarationError

_TOKEN = re.compile(r"""
    (?P<blank>\s+ | --[^\n]*)
  | (?P<comment>/\*)
  | (?P<text>[eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
  | (?P<unclosed>[eE]?'|"|\$(?:[^\W\d]\w*)?\$)
  | (?P<word>[^\W\d][\w$]*)
  | (?P<number>\d[\w.]*)
  | (?P<other>.)
""", re.X | re.S)
_COMMENT_EDGE = re.compile(r"/\*|\*/")
# What a statement begins with that creates a routine, whose body may hold semicolons between BEGIN ATOMIC and END.
_ROUTINE = re.compile(r"CREATE (OR REPLACE )?(FUNCTION|PROCEDURE)\b")
_FIRST_WORDS = 6


@dataclass(frozen=True)
class Statement:
    """One statement without its semicolon, and where it begins; `words` are its first keywords, in capitals."""

    sql: str
    file: str
    line: int
    words: str

    def place(self, position: int | None = None) -> str:
        """Return file and line: of the statement's beginning, or of a character in it, counted from 1."""
        after = self.sql[:position - 1].count("\n") if position else 0
        return f"{self.file}:{self.line + after}"


def split(text: str, file: str) -> Iterator[Statement]:
    """Yield the statements of `text` one by one, without comments before them; empty ones are skipped.

    Raises DeclarationError, with file and line, for a command of psql (a backslash outside quotes) and for a string,
    quoted name or comment without an end.
    """
    scanner = _Scanner(text, file)
    while (statement := scanner.next_statement()) is not None:
        yield statement


class _Scanner:
    def __init__(self, text: str, file: str) -> None:
        self.text, self.file = text, file
        self.position = 0

    def next_statement(self) -> Statement | None:
        """Return the next statement that is not empty; None at the end."""
        begin: int | None = None
        words: list[str] = []
        parentheses = blocks = 0
        while self.position < len(self.text):
            element = self._element()
            if element is None:
                continue
            if begin is None and element != ";":
                begin = self.position - len(element)
            if element == ";" and not parentheses and not blocks:
                if begin is not None:
                    return self._statement(begin, self.position - 1, words)
                continue
            parentheses = max(0, parentheses + (element == "(") - (element == ")"))
            word = element.upper()
            if len(words) < _FIRST_WORDS:
                words.append(word)
            if not parentheses and _ROUTINE.match(" ".join(words)):
                blocks = max(0, blocks + _depth_change(word, blocks))
        return None if begin is None else self._statement(begin, len(self.text), words)

    def _element(self) -> str | None:
        """Move past one token and return it; None for blanks and comments."""
        begin = self.position
        token = _TOKEN.match(self.text, begin)
        assert token
        self.position = token.end()
        if token["comment"]:
            self._skip_comment(begin)
            return None
        if token["unclosed"]:
            raise DeclarationError(f"{self._place(begin)}: what begins with {token[0]} has no end; close it")
        if token["other"] == "\\":
            line = self.text[begin:].split("\n", 1)[0].split()
            raise DeclarationError(f"{self._place(begin)}: {line[0]} is a command of psql, which no server knows; take "
                                   f"the line out{_remedy(line[0])}")
        return None if token["blank"] else token[0]

    def _skip_comment(self, begin: int) -> None:
        """Move to the end of a comment that may hold others."""
        depth = 1
        while depth:
            edge = _COMMENT_EDGE.search(self.text, self.position)
            if edge is None:
                raise DeclarationError(f"{self._place(begin)}: what begins with /* has no end; close it")
            depth += 1 if edge[0] == "/*" else -1
            self.position = edge.end()

    def _statement(self, begin: int, end: int, words: list[str]) -> Statement:
        return Statement(self.text[begin:end].rstrip(), self.file, self._line(begin), " ".join(words))

    def _place(self, position: int) -> str:
        return f"{self.file}:{self._line(position)}"

    def _line(self, position: int) -> int:
        return self.text.count("\n", 0, position) + 1


def _depth_change(word: str, blocks: int) -> int:
    """Return by how much a word of a routine changes the depth of its BEGIN ... END and CASE ... END."""
    if word == "BEGIN" or (word == "CASE" and blocks):
        return 1
    return -1 if word == "END" else 0


def _remedy(command: str) -> str:
    return {r"\i": "; all files of the folder are loaded, in the order of their names",
            r"\ir": "; all files of the folder are loaded, in the order of their names",
            r"\restrict": " (pg_dump writes it, and \\unrestrict at the end)",
            r"\unrestrict": " (pg_dump writes it, and \\restrict at the beginning)"}.get(command, "")
