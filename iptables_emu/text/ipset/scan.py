"""The pieces of values: numbers, ranges, names in brackets (libipset: parse.c). Functions raise Problem."""

from __future__ import annotations

import re

from iptables_emu.options.numbers import U64
from iptables_emu.text.ipset.session import ERROR, Problem, Session

_NUMBER = re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")


def number(s: Session, text: str, low: int, high: int, level: int = ERROR) -> int | None:
    """A number in a range; None (after a warning) when ``level`` is WARNING and it is none. Raises Problem."""
    found = _NUMBER.match(text)
    value, big = 0, False
    if found:
        value = int(found[2], 16 if found[2][:2] in ("0x", "0X") else 8 if found[2][0] == "0" else 10)
        big = value > U64
        value = -value & U64 if found[1] == "-" else value
    whole = found is not None and found.end() == len(text)
    if whole and not big and low <= value <= high:
        return value
    why = f"is out of range {low}-{high}" if whole or big else "is invalid as number"
    s.tell(level, f"Syntax error: '{text}' {why}")
    if level == ERROR:
        raise Problem
    return None


def sure(s: Session, text: str, high: int, low: int = 0) -> int:
    value = number(s, text, low, high)
    assert value is not None
    return value


def cidr(s: Session, text: str, low: int, high: int) -> int:
    """A prefix length."""
    value = sure(s, text, 255)
    if not low <= value <= high:
        raise s.syntax(f"'{text}' is out of range {low}-{high}")
    return value


def split(text: str, separator: str) -> tuple[str, str] | None:
    """The parts around a separator that stands neither first nor last."""
    if separator not in text or text[0] == separator or text[-1] == separator:
        return None
    before, _, after = text.partition(separator)
    return before, after


def has_range(text: str) -> bool:
    """Whether a range is written, outside of brackets."""
    end = text.find("]") if text[:1] == "[" else -1
    if text[:1] == "[" and end < 0:
        return False
    return split(text[max(end, 0) :], "-") is not None


def range_of(s: Session, text: str) -> tuple[str, str | None]:
    """FROM and TO of a range, names in brackets kept whole."""
    if text[:1] != "[":
        parts = split(text, "-")
        return parts if parts else (text, None)
    end = text.find("]")
    if end < 0:
        raise s.syntax(f"cannot find closing escape character ']' in {text}")
    if end + 1 == len(text):
        return text, None
    if text[end + 1] != "-":
        raise s.syntax(f"range separator expected after '{text[: end + 1]}'")
    return text[: end + 1], text[end + 2 :]


def bare(s: Session, text: str) -> str:
    if text[:1] != "[":
        return text
    if text[-1] != "]":
        raise s.syntax(f"cannot find closing escape character ']' in {text}")
    return text[1:-1]
