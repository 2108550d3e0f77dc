"""On which line of a JSON or TOML text a value stands, for messages: the readers themselves do not tell."""

from __future__ import annotations

import json
import re
from collections import Counter

Steps = tuple[str | int, ...]
"""The way to a value: keys of objects and indices of lists."""

_BLANK = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()
_TOML_KEY = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_TOML_LINE = re.compile(rf"\s*(\[\[?)?\s*({_TOML_KEY}(?:\s*\.\s*{_TOML_KEY})*)\s*(\]\]?|=)")


def json_line(text: str, steps: Steps) -> int:
    """The line (from 1) of a value, or of the last part of the way to it that is there; ``text`` is good JSON."""
    at = _skip(text, 0)
    for step in steps:
        found = _key(text, at, step) if isinstance(step, str) else _item(text, at, step)
        if found is None:
            break
        at = found
    return text.count("\n", 0, at) + 1


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    assert match is not None
    return match.end()


def _key(text: str, at: int, wanted: str) -> int | None:
    """Where the value of a key of the object at ``at`` begins."""
    if text[at] != "{":
        return None
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)  # the colon
        if name == wanted:
            return at
        at = _past(text, at)
    return None


def _item(text: str, at: int, wanted: int) -> int | None:
    """Where an item of the list at ``at`` begins."""
    if text[at] != "[":
        return None
    at = _skip(text, at + 1)
    for _ in range(wanted):
        if text[at] == "]":
            return None
        at = _past(text, at)
    return at


def _past(text: str, at: int) -> int:
    """Where what follows the value at ``at``, and the comma after it, begins."""
    at = _skip(text, _DECODER.raw_decode(text, at)[1])
    return _skip(text, at + 1) if text[at] == "," else at


def toml_line(text: str, steps: Steps) -> int:
    """The line (from 1) of the longest part of the way to a value that begins a line; 1 where none does."""
    wanted, best, line = _flat(steps), 0, 1
    table: list[str] = []
    arrays: Counter[str] = Counter()
    for number, words in enumerate(text.split("\n"), 1):
        match = _TOML_LINE.match(words)
        if match is None or bool(match[1]) == (match[3] == "="):
            continue
        key = [part.strip("\"'") for part in re.findall(_TOML_KEY, match[2])]
        here = [*table, *_flat(key)]
        if match[1]:
            here = table = _flat(key)
            if match[1] == "[[":
                here = table = [*table, str(arrays[match[2]])]
                arrays[match[2]] += 1
        if len(here) > best and here == wanted[: len(here)]:
            best, line = len(here), number
    return line


def _flat(steps: Steps | list[str]) -> list[str]:
    """The single words of the way: TOML may or may not quote a key with dots."""
    return [word for step in steps for word in str(step).split(".")]
