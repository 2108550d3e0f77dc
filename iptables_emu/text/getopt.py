"""getopt_long as glibc has it, in the order-keeping mode that iptables uses (option string "-:...").

Every word that is no option comes back as such; abbreviations count over all long options known at that
moment; nothing is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NO, REQUIRED, OPTIONAL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Long:
    """One long option. Two entries are the same option when ``has_arg`` and ``val`` agree."""

    name: str
    has_arg: int
    val: Any
    code: int  # the number getopt would return; its low byte is told in messages


@dataclass(slots=True)
class Got:
    """One step: ``kind`` is "short" or "long" (``val``, ``arg``), "word" (``arg``), "missing" (the option
    lacks its argument), "unknown" (``arg`` is how iptables names it)."""

    kind: str
    val: Any = None
    arg: str | None = None


class Getopt:
    """A walk over ``argv`` from ``index``; more long options may be added on the way."""

    def __init__(self, argv: Sequence[str], shorts: dict[str, int], longs: dict[str, Long], index: int = 1) -> None:
        self.argv, self.shorts, self.base = argv, shorts, longs
        self.index = index
        self.extra: list[dict[str, Long]] = []  # newest first
        self.cluster = ""

    def add(self, longs: dict[str, Long]) -> None:
        """Options of an extension that has just been loaded."""
        self.extra.insert(0, longs)

    def peek(self) -> str | None:
        """The next word, or None."""
        return self.argv[self.index] if self.index < len(self.argv) else None

    def take(self) -> str:
        self.index += 1
        return self.argv[self.index - 1]

    def has_arg(self) -> bool:
        """Whether a word follows that is no option (iptables: xs_has_arg)."""
        word = self.peek()
        return word is not None and word[:1] not in ("-", "!")

    def next(self) -> Got | None:
        if self.cluster:
            return self._short()
        if self.index >= len(self.argv):
            return None
        word = self.argv[self.index]
        if word == "--":
            self.index += 1
            return None
        self.index += 1
        if word[:2] == "--":
            return self._long(word)
        if word[:1] != "-" or word == "-":
            return Got("word", arg=word)
        self.cluster = word[1:]
        return self._short()

    def _short(self) -> Got:
        letter, self.cluster = self.cluster[0], self.cluster[1:]
        wants = self.shorts.get(letter)
        if wants is None:
            return Got("unknown", arg=f"-{letter}")
        if wants == NO:
            return Got("short", letter)
        rest, self.cluster = self.cluster, ""
        if rest:
            return Got("short", letter, rest)
        if wants == OPTIONAL:
            return Got("short", letter)
        if self.index >= len(self.argv):
            return Got("missing", arg=self.argv[self.index - 1])
        return Got("short", letter, self.take())

    def find(self, name: str) -> Long | None:
        """The option of this name or abbreviation; None when there is none or it is ambiguous."""
        found = self.base.get(name)
        if found is not None:
            return found
        for table in self.extra:
            if name in table:
                return table[name]
        for table in (self.base, *self.extra):
            for key, entry in table.items():
                if not key.startswith(name):
                    continue
                if found is not None and (found.val != entry.val or found.has_arg != entry.has_arg):
                    return None
                found = found or entry
        return found

    def _long(self, word: str) -> Got:
        name, equals, value = word[2:].partition("=")
        entry = self.find(name)
        if entry is None:
            return Got("unknown", arg=word)
        if equals:
            if entry.has_arg == NO:
                return Got("unknown", arg="-" + chr(entry.code & 255).rstrip("\0"))
            return Got("long", entry.val, value)
        if entry.has_arg != REQUIRED:
            return Got("long", entry.val)
        if self.index >= len(self.argv):
            return Got("missing", arg=self.argv[self.index - 1])
        return Got("long", entry.val, self.take())
