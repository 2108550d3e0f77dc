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


class Got(NamedTuple):
    """One step: ``kind`` is "option" (``val``, ``arg``), "word" (``arg``), "missing" (the option lacks its
    argument), "unknown" (``arg`` is how iptables names it)."""

    kind: str
    val: Any = None
    arg: str | None = None


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
    """A walk over ``argv`` from ``index``; ``options`` may be replaced on the way."""

    __slots__ = ("argv", "cluster", "index", "options")

    def __init__(self, argv: Sequence[str], options: OptionSet, index: int = 1) -> None:
        self.argv, self.options, self.index = argv, options, index
        self.cluster = ""

    def peek(self) -> str | None:
        """The next word, or None."""
        return self.argv[self.index] if self.index < len(self.argv) else None

    def take(self) -> str:
        self.index += 1
        return self.argv[self.index - 1]

    def has_arg(self) -> bool:
        """Whether a word follows that is no option (iptables: xs_has_arg)."""
        return self.index < len(self.argv) and self.argv[self.index][:1] not in ("-", "!")

    def next(self) -> Got | None:
        if self.cluster:
            return self._short()
        if self.index >= len(self.argv):
            return None
        word = self.argv[self.index]
        self.index += 1
        entry = self.options.words.get(word)
        if entry is not None:
            return self._with_argument(entry)
        if word == "--":
            return None
        if word[:2] == "--":
            return self._long(word)
        if word[:1] != "-" or word == "-":
            return Got("word", arg=word)
        self.cluster = word[1:]
        return self._short()

    def _short(self) -> Got:
        letter, self.cluster = self.cluster[0], self.cluster[1:]
        entry = self.options.shorts.get(letter)
        if entry is None:
            return Got("unknown", arg=f"-{letter}")
        if entry.has_arg == NO:
            return Got("option", entry.val)
        rest, self.cluster = self.cluster, ""
        if rest:
            return Got("option", entry.val, rest)
        return self._with_argument(entry)

    def _long(self, word: str) -> Got:
        name, equals, value = word[2:].partition("=")
        found = self.options.candidates(name)
        if not found or not same_option(found):
            return Got("unknown", arg=word)
        entry = found[0]
        if not equals:
            return self._with_argument(entry)
        if entry.has_arg == NO:
            return Got("unknown", arg="-" + chr(entry.code & 255).rstrip("\0"))
        return Got("option", entry.val, value)

    def _with_argument(self, entry: Long) -> Got:
        if entry.has_arg != REQUIRED:
            return Got("option", entry.val)
        if self.index >= len(self.argv):
            return Got("missing", arg=self.argv[self.index - 1])
        return Got("option", entry.val, self.take())


def complaint(argv: Sequence[str], options: OptionSet, index: int, got: Got) -> str:
    """What glibc itself prints for a bad option; ``index`` is where the walk stands behind it."""
    program, word = argv[0], argv[index - 1]
    if word[:2] != "--":
        why = "option requires an argument" if got.kind == "missing" else "invalid option"
        return f"{program}: {why} -- '{word[-1:] if got.kind == 'missing' else (got.arg or '')[1:]}'\n"
    found = options.candidates(word[2:].partition("=")[0])
    if not found:
        return f"{program}: unrecognized option '{word}'\n"
    if not same_option(found):
        choices = "".join(f" '--{entry.name}'" for entry in found)
        return f"{program}: option '{word}' is ambiguous; possibilities:{choices}\n"
    why = "requires an argument" if got.kind == "missing" else "doesn't allow an argument"
    return f"{program}: option '--{found[0].name}' {why}\n"
