"""Fingerprints of systems by their SYN, as nfnl_osf loads them, and the comparison (kernel: nfnetlink_osf.c)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from iptables_emu.host.schema import Place, text

MOST_OPTIONS = 40  # MAX_IPOPTLEN: bytes of options that are compared at all
# option letters: kind and length
OPTIONS = {"E": (0, 1), "N": (1, 1), "M": (2, 4), "W": (3, 3), "S": (4, 2), "T": (8, 10)}
MSS = 2
USUAL_MSS = (1460, 1448)  # a modem may have made it smaller: these count, too
GENRE_SIZE = 31


@dataclass(frozen=True, slots=True)
class Syn:
    """What is looked at of a SYN: ``length`` of the packet, ``options`` in bytes."""

    length: int
    ttl: int
    df: bool
    window: int
    options: bytes


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One line. ``window`` is the letter S (times MSS), T (times MTU), % (multiple of) or "" and the number."""

    window: tuple[str, int]
    ttl: int
    df: bool
    length: int
    options: tuple[tuple[int, int], ...]
    genre: str
    version: str
    subtype: str

    def fits(self, syn: Syn, ttl_fits: Callable[[int], bool]) -> bool:
        """Whether the SYN is of this system; ``ttl_fits`` judges the fingerprint's TTL."""
        if self.df is not syn.df or self.length != syn.length or not ttl_fits(self.ttl):
            return False
        size = sum(length for _, length in self.options)
        if size != len(syn.options) or size > MOST_OPTIONS:
            return False
        at = mss = 0
        for kind, length in self.options:
            if syn.options[at] != kind:
                return False
            if kind == MSS:
                mss = int.from_bytes(syn.options[at + 2 : at + 4], "big")
            at += length
        return self._window_fits(syn.window, mss)

    def _window_fits(self, window: int, mss: int) -> bool:
        how, value = self.window
        if how in ("S", "T"):
            extra = 40 if how == "T" else 0
            return window in [value * (size + extra) for size in (mss, *USUAL_MSS)]
        if how == "%":
            return value > 0 and window % value == 0
        return value in (0, window)


def _number(word: str) -> int:
    found = re.match(r"\s*(\d+)", word)
    return int(found.group(1)) if found else 0


def _window(word: str) -> tuple[str, int]:
    if word[:1] in ("S", "T"):
        rest = word[1:]
        return word[0], 0 if rest[:1] == "*" else _number(rest.removeprefix("%"))
    if word[:1] == "%":
        return "%", _number(word[1:])
    return "", _number(word) if word[:1].isdigit() else 0


class Fingerprints(tuple[Fingerprint, ...]):
    """All, in the order in which they are tried."""

    __slots__ = ()

    @classmethod
    def parse(cls, lines: str) -> Fingerprints:
        """The lines of a fingerprint file. Raises ValueError, which names the line."""
        found: dict[Fingerprint, None] = {}  # what is given twice is loaded once
        for number, line in enumerate(lines.splitlines(), 1):
            if not line or line[0] == "#":
                continue
            if line.count(":") != 8 and line.strip():
                raise ValueError(f"line {number}: a fingerprint has 9 parts between colons: {line.strip()!r}")
            if line.strip():
                found.setdefault(_line(line))
        return cls(found)


def _line(line: str) -> Fingerprint:
    window, ttl, df, length, options, genre, version, subtype, _ = (part.lstrip() for part in line.split(":"))
    genre = genre[1:] if genre[:1] in ("@", "*") else genre
    letters = (word.lstrip()[:1] for word in options.split(","))
    known = tuple(OPTIONS[letter] for letter in letters if letter in OPTIONS)
    return Fingerprint(_window(window), _number(ttl) & 255, bool(_number(df)), _number(length) & 0xFFFF, known,
                       genre[:GENRE_SIZE], version[:GENRE_SIZE], subtype[:GENRE_SIZE])  # fmt: skip


def check_fingerprints(value: object, place: Place) -> None:
    """The lines of a fingerprint file."""
    text(value, place)
    try:
        Fingerprints.parse(str(value))
    except ValueError as error:
        raise place.error(str(error)) from None
