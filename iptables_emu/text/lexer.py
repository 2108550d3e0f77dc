"""The tokenizer of iptables-restore (xshared.c: add_param_to_argv).

Only double quotes quote, a backslash escapes only inside them, a closing quote ends the word, an
unterminated quote runs on to the end of the line.
"""

from __future__ import annotations

import re

from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import blen

_SEPARATOR = re.compile(r'[ \t\n"]')
MOST_WORDS = 255  # MAX_ARGC
MOST_BYTES = 1024  # of one word, with the final NUL


def words(line: str) -> list[str]:
    """The words of one line (with its newline, where it has one). Raises ParameterProblem."""
    if '"' not in line:
        out = _plain(line)
    elif "\\" in line:
        out = [word for word, _ in marked_words(line)]
    else:
        parts = line.split('"')
        out = _pairs(parts) if len(parts) % 2 else [word for word, _ in marked_words(line)]
    if len(line) >= MOST_BYTES // 4:  # a letter may have four bytes
        check_lengths(out)
    return out


def check_lengths(found: list[str]) -> None:
    """No word may have 1,024 bytes. Raises ParameterProblem."""
    if any(blen(word) >= MOST_BYTES for word in found):
        raise ParameterProblem("Parameter too long!")


def _plain(text: str) -> list[str]:
    """The words of a text without quotes."""
    text = text.strip(" \t\n")
    if "\t" in text or "\n" in text:
        text = text.replace("\t", " ").replace("\n", " ")
    if "  " in text:
        return [word for word in text.split(" ") if word]
    return text.split(" ") if text else []


def _pairs(parts: list[str]) -> list[str]:
    """``parts`` are by turns outside and inside of quotes, without any backslash."""
    out: list[str] = []
    for at in range(0, len(parts) - 1, 2):
        before, quoted = parts[at], parts[at + 1]
        out += _plain(before)
        if before and before[-1] not in " \t\n":  # the quoted text goes on with the word before it
            quoted = out.pop() + quoted
        out.append(quoted)
    return out + _plain(parts[-1])


def marked_words(line: str) -> list[tuple[str, bool]]:
    """The words of a line, each with whether a quoted piece ended it."""
    out: list[tuple[str, bool]] = []
    word: list[str] = []
    length = len(line)
    at = 0
    while at < length:
        char = line[at]
        if char == '"':
            at, closed = _inside(line, at + 1, word)
            if closed:  # a closing quote ends the word, even an empty one
                out.append(("".join(word), True))
                word.clear()
        elif char in " \t\n":
            if word:
                out.append(("".join(word), False))
                word.clear()
            at += 1
        else:
            found = _SEPARATOR.search(line, at)
            end = found.start() if found else length
            word.append(line[at:end])
            at = end
    if word and any(word):
        out.append(("".join(word), False))
    return out


def _inside(line: str, at: int, word: list[str]) -> tuple[int, bool]:
    """Collect quoted text from ``at``; returns where it ends and whether a quote closed it."""
    while True:
        quote, slash = line.find('"', at), line.find("\\", at)
        if slash != -1 and (quote == -1 or slash < quote):
            word.append(line[at:slash])
            word.append(line[slash + 1 : slash + 2])
            at = slash + 2
        elif quote == -1:
            word.append(line[at:])
            return len(line), False
        else:
            word.append(line[at:quote])
            return quote + 1, True
