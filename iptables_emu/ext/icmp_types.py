"""What icmp and icmp6 share: types by name or number, and how they are shown (upstream: libxt_icmp.h)."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext.api import Base, Gathered, Match
from iptables_emu.ext.region import Clause, Header, Region, within
from iptables_emu.options.numbers import scan
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

HEADER = 8  # sizeof(struct icmphdr): the kernel wants all of it
ANY_TYPE = 255


@dataclass(frozen=True, slots=True)
class Named:
    """A name for a type and a range of codes."""

    name: str
    type: int
    low: int = 0
    high: int = 255


TypeCode = tuple[int, int, int]  # type, lowest and highest code


def names_of(text: str) -> tuple[Named, ...]:
    """A table from words: ``name:type`` or ``name:type/code``."""
    out = []
    for word in text.split():
        name, numbers = word.split(":")
        kind, slash, code = numbers.partition("/")
        out.append(Named(name, int(kind), int(code), int(code)) if slash else Named(name, int(kind)))
    return tuple(out)


def type_option(table: tuple[Named, ...], word: str) -> Callable[[str, OptionContext], TypeCode]:
    """``echo-request``, ``8``, ``3/1``, a beginning of a name; ``word`` is "ICMP" or "ICMPv6"."""

    def convert(text: str, cx: OptionContext) -> TypeCode:
        found = [each for each in table if each.name.lower().startswith(text.lower())]
        if len(found) > 1:
            raise ParameterProblem(f"Ambiguous {word} type `{text}': `{found[0].name}' or `{found[1].name}'?")
        if found:
            return found[0].type, found[0].low, found[0].high
        return _numbers(text, word)

    return convert


def _numbers(text: str, word: str) -> TypeCode:
    first = _range(text)
    if first is None:
        raise ParameterProblem(f"Unknown {word} type `{text}'")
    low, high, rest = first
    codes = (0, 255)
    if rest[:1] == "/":
        second = _range(rest[1:])
        if second is None:
            raise ParameterProblem(f"Unknown {word} code `{text}'")
        codes, rest = second[:2], second[2]
    if rest:
        raise ParameterProblem(f"unknown character {rest[0]}")
    if low != high:
        raise ParameterProblem(f"{word} type range not supported")
    return low, *codes


def _range(text: str) -> tuple[int, int, str] | None:
    first = scan(text, 0, 255)
    if first is None:
        return None
    low, rest = first
    if rest[:1] != ":":
        return low, low, rest
    second = scan(rest[1:], 0, 255)
    return (low, second[0], second[1]) if second is not None else None


def list_type(table: tuple[Named, ...], value: TypeCode, inverted: bool, numeric: bool) -> str:
    """`` echo-request``, `` !type 3 code 1``."""
    kind, low, high = value
    if not numeric:
        for each in table:
            if (each.type, each.low, each.high) == value:
                return f" {'!' if inverted else ''}{each.name}"
    out = f"{' !' if inverted else ''}type {kind}"
    if low == high:
        return f"{out} code {low}"
    return out if (low, high) == (0, 255) else f"{out} codes {low}-{high}"


def type_name(table: tuple[Named, ...], value: TypeCode) -> str | None:
    """The first name of a type with all its codes, for nft, which knows no others."""
    if value[1] == value[2]:
        return None
    return next((each.name for each in table if (each.type, each.low, each.high) == value), None)


def type_region(value: TypeCode, inverted: bool, label: str, wildcard: bool) -> Region:
    """The meaning; with ``wildcard`` type 255 stands for all (kernel: icmp_type_code_match)."""
    kind, low, high = value
    boxes: tuple[tuple[Clause, ...], ...]
    if wildcard and kind == ANY_TYPE:
        boxes = () if inverted else ((),)
        return Region(boxes, Header(HEADER))
    types = within("icmp_type", ((kind, kind),), inverted, label)
    codes = within("icmp_code", ((low, high),), inverted, label)
    if (low, high) == (0, 255):
        boxes = ((types,),)
    elif low > high:
        boxes = ((),) if inverted else ()
    else:
        boxes = ((types,), (codes,)) if inverted else ((types, codes),)
    return Region(boxes, Header(HEADER))


def valid_types(what: str, table: tuple[Named, ...]) -> str:
    """The names for the help."""
    shown = ", ".join(each.name for each in table)
    text = textwrap.fill(shown, 100, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    return f"Valid {what} Types:\n{text}\n"


@dataclass(frozen=True, slots=True)
class TypeMatch(Match):
    """A message by ``value``: (type, lowest code, highest code). ``WORD`` is the protocol in texts."""

    OPTION: ClassVar[str]
    WORD: ClassVar[str]
    TABLE: ClassVar[tuple[Named, ...]]

    value: TypeCode
    inverted: bool = False

    @classmethod
    def more_help(cls) -> str:
        return valid_types(cls.WORD, cls.TABLE)

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given[cls.OPTION].value, given[cls.OPTION].inverted)
