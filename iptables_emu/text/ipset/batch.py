"""Batches: the lines of ``ipset restore``, and what they gather for the kernel."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from iptables_emu.host.ipset.element import Request
from iptables_emu.text.ipset.session import Session

MAX_WORDS = 32
MAX_LINE = 1023
SPACE = " \t\r\n"
PLAIN = re.compile(r"[ !#-~\n]*")  # nothing but words with blanks between them


@dataclass(slots=True)
class Waiting:
    """Elements of a batch that are not sent yet: they go in one message while command and set stay the same."""

    command: str = ""
    setname: str = ""
    exist: bool = False
    bytes: int = 0
    elements: list[tuple[int, Request]] = field(default_factory=list)


def split_line(line: str, s: Session) -> list[str]:
    """The words of a line; double quotes keep blanks together. Raises Stop."""
    if PLAIN.fullmatch(line) and line.count(" ") < MAX_WORDS - 3:
        return line.split()
    words: list[str] = []
    word, quoted = "", False
    for at, char in enumerate(line):
        if len(words) + 2 == MAX_WORDS:
            raise s.parameter("Line is too long to parse.")
        last = at + 1 == len(line)
        if char == '"':
            quoted = not quoted
            if not last:
                continue
        elif char not in SPACE or quoted:
            word += char
            if char in SPACE or not last:
                continue
        if last and quoted:
            raise s.parameter("Missing close quote!")
        if word:
            words.append(word)
        word = ""
    return words


def lines_of(text: str) -> list[str]:
    """The lines as fgets reads them: long ones in pieces."""
    out = []
    *whole, tail = text.split("\n")
    for line in (*(f"{line}\n" for line in whole), tail):
        out += [line[i : i + MAX_LINE] for i in range(0, len(line), MAX_LINE)]
    return out
