"""getopt_long as glibc has it, in the order-keeping mode that iptables uses (option string "-:...").

Every word that is no option comes back as such; abbreviations count over all long options known at that
moment; nothing is printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

NO, REQUIRED, OPTIONAL = 0, 1, 2


class Long(NamedTuple):
    """One option. Two long ones are the same option when ``has_arg`` and ``code`` agree."""

    name: str
    has_arg: int
    val: Any
    code: int  # the number getopt would return; its low byte is told in messages


class OptionSet:
    """All options known at one moment. ``longs`` holds the tables, the one searched first in front."""

    def __init__(self, shorts: Mapping[str, Long], longs: Sequence[Mapping[str, Long]]) -> None:
        self.shorts, self.longs = shorts, tuple(longs)

    @cached_property
    def words(self) -> dict[str, Long]:
        """Every option as it is mostly written, ``-s`` and ``--source``, for the shortest way."""
        out: dict[str, Long] = {}
        for table in reversed(self.longs):
            out.update((f"--{name}", entry) for name, entry in table.items())
        out.update((f"-{letter}", entry) for letter, entry in self.shorts.items())
        return out

    def with_first(self, table: Mapping[str, Long]) -> OptionSet:
        """The set with the options of an extension, which come behind the program's own."""
        return OptionSet(self.shorts, (self.longs[0], table, *self.longs[1:]))

    def candidates(self, name: str) -> list[Long]:
        """The option of this name, or all that it abbreviates."""
        for table in self.longs:
            if name in table:
                return [table[name]]
        return [entry for table in self.longs for key, entry in table.items() if key.startswith(name)]


def same_option(entries: Iterable[Long]) -> bool:
    """Whether an abbreviation is unambiguous."""
    return len({(entry.has_arg, entry.code) for entry in entries}) == 1


class Getopt:
    """A walk over ``argv`` from ``index``; ``options`` may be replaced on the way.

    After a step ``kind`` is "option" (then ``val`` and ``arg``), "word" (``arg``), "missing" (the option lacks
    its argument), or "unknown" (``arg`` is how iptables names it).
    """

    __slots__ = ("arg", "argv", "cluster", "index", "kind", "options", "val")

    def __init__(self, argv: Sequence[str], options: OptionSet, index: int = 1) -> None:
        self.argv, self.options, self.index = argv, options, index
        self.cluster = self.kind = ""
        self.val: Any = None
        self.arg: str | None = None

    def peek(self) -> str | None:
        """The next word, or None."""
        return self.argv[self.index] if self.index < len(self.argv) else None

    def take(self) -> str:
        self.index += 1
        return self.argv[self.index - 1]

    def has_arg(self) -> bool:
        """Whether a word follows that is no option (iptables: xs_has_arg)."""
        return self.index < len(self.argv) and self.argv[self.index][:1] not in ("-", "!")

    def next(self) -> bool:
        """Go one step; False at the end of the options."""
        if self.cluster:
            return self._short()
        if self.index >= len(self.argv):
            return False
        word = self.argv[self.index]
        self.index += 1
        entry = self.options.words.get(word)
        if entry is not None:  # an option written in full: nearly every one in a dump
            if entry[1] != REQUIRED or self.index >= len(self.argv):
                return self._with_argument(entry)
            self.kind, self.val, self.arg = "option", entry[2], self.argv[self.index]
            self.index += 1
            return True
        if word == "--":
            return False
        if word[:2] == "--":
            return self._long(word)
        if word[:1] != "-" or word == "-":
            return self._set("word", None, word)
        self.cluster = word[1:]
        return self._short()

    def _set(self, kind: str, val: Any, arg: str | None) -> bool:
        self.kind, self.val, self.arg = kind, val, arg
        return True

    def _short(self) -> bool:
        letter, self.cluster = self.cluster[0], self.cluster[1:]
        entry = self.options.shorts.get(letter)
        if entry is None:
            return self._set("unknown", None, f"-{letter}")
        if entry.has_arg == NO:
            return self._set("option", entry.val, None)
        rest, self.cluster = self.cluster, ""
        if rest:
            return self._set("option", entry.val, rest)
        return self._with_argument(entry)

    def _long(self, word: str) -> bool:
        name, equals, value = word[2:].partition("=")
        found = self.options.candidates(name)
        if not found or not same_option(found):
            return self._set("unknown", None, word)
        entry = found[0]
        if not equals:
            return self._with_argument(entry)
        if entry.has_arg == NO:
            return self._set("unknown", None, "-" + chr(entry.code & 255).rstrip("\0"))
        return self._set("option", entry.val, value)

    def _with_argument(self, entry: Long) -> bool:
        """An option that stands alone in its word."""
        self.kind, self.val, index = "option", entry[2], self.index
        if entry[1] != REQUIRED:
            self.arg = None
        elif index < len(self.argv):
            self.arg, self.index = self.argv[index], index + 1
        else:
            return self._set("missing", None, self.argv[index - 1])
        return True


def complaint(getopt: Getopt) -> str:
    """What glibc itself prints for the bad option that the walk has just met."""
    program, word = getopt.argv[0], getopt.argv[getopt.index - 1]
    missing = getopt.kind == "missing"
    if word[:2] != "--":
        if missing:
            return f"{program}: option requires an argument -- '{word[-1:]}'\n"
        return f"{program}: invalid option -- '{(getopt.arg or '')[1:]}'\n"
    found = getopt.options.candidates(word[2:].partition("=")[0])
    if not found:
        return f"{program}: unrecognized option '{word}'\n"
    if not same_option(found):
        choices = "".join(f" '--{entry.name}'" for entry in found)
        return f"{program}: option '{word}' is ambiguous; possibilities:{choices}\n"
    why = "requires an argument" if missing else "doesn't allow an argument"
    return f"{program}: option '--{found[0].name}' {why}\n"
