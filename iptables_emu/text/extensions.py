"""The matches and the target of one line: their options as given, then the finished extension.

Dumps repeat themselves: ``-m tcp --dport 443`` stands there a thousand times. Extensions are frozen, so
the finished one is kept under the words that made it and shared by all rules.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from iptables_emu.ext import registry
from iptables_emu.ext.api import Extension, Match, Target
from iptables_emu.options.memo import memo
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Base, Condition, Opt, OptionContext, Words, accept, check_conditions, conditions
from iptables_emu.options.types import blen
from iptables_emu.text.command import EXTENSION_NAME_MAX

_SPACE = re.compile(r"[ \t\n\v\f\r]")
# one option as written: its row's name, its words, whether ! stood before it
Written = tuple[str, tuple[str, ...], bool]


class Loaded:
    """An extension in use on a line. ``written`` is what it was given; ``cx`` holds the values once converted."""

    __slots__ = ("cls", "cx", "written")

    def __init__(self, cls: type[Match] | type[Target]) -> None:
        self.cls = cls
        self.written: list[Written] = []
        self.cx: OptionContext | None = None


BaseKey = tuple[int, int, bool, str, str]
SetNames = frozenset[tuple[str, int]]


class _Words:
    """The words behind an option that takes more than one."""

    __slots__ = ("at", "words")

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words, self.at = words, 1

    def peek(self) -> str | None:
        return self.words[self.at] if self.at < len(self.words) else None

    def take(self) -> str:
        self.at += 1
        return self.words[self.at - 1]


_NO_WORDS = _Words(())


class _Table(NamedTuple):
    """An extension's option table: each row with the name that messages use, and the conditions at the end."""

    rows: dict[str, tuple[Opt, str]]
    conditions: tuple[Condition, ...]
    checks: bool
    warns: bool


@memo()
def _table(cls: type[Any]) -> _Table:
    """Synonyms have one number in libxtables, and the first row with that number is the one that is told."""
    rows: dict[str, tuple[Opt, str]] = {}
    for opt in cls.OPTIONS:
        first = next(o for o in cls.OPTIONS if o.id == opt.id and o.ident == opt.ident)
        rows[opt.name] = opt, first.name
    own = {name for kind in cls.__mro__[: cls.__mro__.index(Extension)] for name in vars(kind)}
    return _Table(rows, conditions(cls.OPTIONS), "check" in own, "warned" in own)


def begin(cls: type[Any], base: Base, sets: SetNames, warnings: list[str], words: Words) -> OptionContext:
    """What the options of one extension are converted in."""
    return OptionContext(cls.NAME, "", False, base, {}, words, warnings, dict(sets) if sets else {})


def give(cls: type[Any], cx: OptionContext, row: str, arg: str | None, inverted: bool) -> None:
    """One occurrence of an option. Raises ParameterProblem."""
    opt, cx.name = _table(cls).rows[row]
    cx.inverted = inverted
    accept(opt, arg, cx)


def finish(cls: type[Any], cx: OptionContext) -> None:
    """The conditions between options. Raises ParameterProblem."""
    table = _table(cls)
    if table.checks:
        cls.check(cx.given, cx.base)
    if table.warns:
        cx.warnings.extend(cls.warned(cx.given))
    if table.conditions:
        check_conditions(cx.ext, table.conditions, cx.given)


def make(cls: type[Any], cx: OptionContext) -> Any:
    """The extension as the personality stores it. Raises ParameterProblem."""
    made = cls.parse(cx.given, cx.base)
    return made.native(cx.base) if cx.base.personality == "nft" else made


@memo(16384)
def assemble(
    cls: type[Any], written: tuple[Written, ...], base: BaseKey, sets: SetNames
) -> tuple[Any, tuple[str, ...]]:
    """The finished extension of some written options, and the warnings on the way. Raises ParameterProblem."""
    cx = begin(cls, base_of(*base), sets, [], _NO_WORDS)
    for row, words, inverted in written:
        if len(words) < 2:
            give(cls, cx, row, words[0] if words else None, inverted)
            continue
        behind = cx.words = _Words(words)
        give(cls, cx, row, words[0], inverted)
        if behind.at < len(words):
            raise ParameterProblem(f"{words[-1]} is no word of --{row}")  # the parser goes by the converter then
    finish(cls, cx)
    return make(cls, cx), tuple(cx.warnings)


@memo(4096)
def base_of(family: int, proto: int, inverted: bool, personality: str, release: str = "1.8.11") -> Base:
    """What extensions may see of a rule."""
    return Base(family, proto, inverted, personality, release)


@memo(1024)
def find_match(name: str, family: int) -> type[Match] | None:
    """A match by name. Raises ParameterProblem for a name that is too long."""
    if blen(name) >= EXTENSION_NAME_MAX:
        raise ParameterProblem(f'Invalid match name "{name}" ({EXTENSION_NAME_MAX - 1} chars max)')
    return registry.find_match(name, family)


def target_name(name: str) -> str:
    """A target's or chain's name after ``-j``. Raises ParameterProblem."""
    if not name:
        raise ParameterProblem("Invalid target name (too short)")
    if blen(name) >= EXTENSION_NAME_MAX:
        raise ParameterProblem(f"Invalid target name `{name}' ({EXTENSION_NAME_MAX - 1} chars max)")
    if not name.isalnum() and _SPACE.search(name):
        raise ParameterProblem(f"Invalid target name `{name}'")
    return name
