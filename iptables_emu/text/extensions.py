"""The matches and the target of one line: their options as given, then the finished extension.

Dumps repeat themselves: ``-m tcp --dport 443`` stands there a thousand times. Extensions are frozen, so
the finished one is kept under the words that made it and shared by all rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from iptables_emu.ext import registry
from iptables_emu.ext.api import Match, Target
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Base, Given, Opt, OptionContext, Words, accept, check_table
from iptables_emu.options.types import blen
from iptables_emu.text.command import EXTENSION_NAME_MAX

_SPACE = re.compile(r"[ \t\n\v\f\r]")
# one option as written: its row's name, its words, whether ! stood before it
Written = tuple[str, tuple[str, ...], bool]


class Loaded:
    """An extension in use on a line. ``written`` is what it was given, ``given`` the values once converted."""

    __slots__ = ("cls", "given", "written")

    def __init__(self, cls: type[Match] | type[Target]) -> None:
        self.cls = cls
        self.written: list[Written] = []
        self.given: dict[str, Given] = {}


class _Words:
    """The words behind an option that takes more than one."""

    __slots__ = ("at", "words")

    def __init__(self, words: tuple[str, ...], at: int) -> None:
        self.words, self.at = words, at

    def peek(self) -> str | None:
        return self.words[self.at] if self.at < len(self.words) else None

    def take(self) -> str:
        self.at += 1
        return self.words[self.at - 1]


@dataclass(slots=True)
class Around:
    """What stands around an option: the rule's base, the ipsets that exist, where warnings go."""

    base: Base
    sets: Mapping[str, int]
    warnings: list[str]


def give(
    cls: type[Any], opt: Opt, arg: str | None, inverted: bool, given: dict[str, Given], words: Words, around: Around
) -> None:
    """One occurrence of an option. Raises ParameterProblem."""
    rows, _ = rows_of(cls)
    name = rows[opt.name][1]
    accept(opt, arg, OptionContext(cls.NAME, name, inverted, around.base, given, words, around.warnings, around.sets))


@cache
def rows_of(cls: type[Any]) -> tuple[dict[str, tuple[Opt, str]], bool]:
    """Each row with the name that messages use, and whether the table has conditions to check at the end.

    Synonyms have one number in libxtables, and the first row with that number is the one that is told.
    """
    rows: dict[str, tuple[Opt, str]] = {}
    for opt in cls.OPTIONS:
        first = next(o for o in cls.OPTIONS if o.id == opt.id and o.ident == opt.ident)
        rows[opt.name] = opt, first.name
    return rows, any(opt.mandatory or opt.also or opt.excludes for opt in cls.OPTIONS)


def finish(cls: type[Any], given: dict[str, Given], base: Base) -> None:
    """The conditions between options, told in libxtables' order. Raises ParameterProblem."""
    cls.check(given, base)
    if rows_of(cls)[1]:
        check_table(cls.NAME, cls.OPTIONS, given)


def make(cls: type[Any], given: dict[str, Given], base: Base) -> Any:
    """The extension as the personality stores it. Raises ParameterProblem."""
    made = cls.parse(given, base)
    return made.native(base) if base.personality == "nft" else made


BaseKey = tuple[int, int, bool, str]
SetNames = frozenset[tuple[str, int]]


@lru_cache(maxsize=8192)
def assemble(cls: type[Any], written: tuple[Written, ...], base: BaseKey, sets: SetNames) -> tuple[Any, tuple[str, ...]]:
    """The finished extension of some written options, and the warnings on the way. Raises ParameterProblem."""
    around = Around(base_of(*base), dict(sets), [])
    rows, _ = rows_of(cls)
    given: dict[str, Given] = {}
    for name, words, inverted in written:
        opt = rows[name][0]
        behind = _Words(words, 0 if opt.bare else 1)
        give(cls, opt, words[0] if behind.at and words else None, inverted, given, behind, around)
        if behind.at < len(words):
            raise ParameterProblem(f"{words[-1]} is no word of --{name}")  # the parser goes by the converter then
    finish(cls, given, around.base)
    return make(cls, given, around.base), tuple(around.warnings)


@lru_cache(maxsize=4096)
def base_of(family: int, proto: int, inverted: bool, personality: str) -> Base:
    """What extensions may see of a rule."""
    return Base(family, proto, inverted, personality)


@lru_cache(maxsize=1024)
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
