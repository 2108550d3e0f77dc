"""u32: numbers of 32 bits found anywhere in the packet (kernel: xt_u32.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.options.numbers import U32, scan
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

MOST = 10  # XT_U32_MAXSIZE
SPACE = " \t\n\v\f\r"

Step = tuple[str, int]  # operator ("" for the first) and number
Term = tuple[tuple[Step, ...], tuple[tuple[int, int], ...]]  # the way to a value, the ranges it may lie in


class _Reader:
    """Reads the little language; positions in messages count characters from 0."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def fail(self, what: str) -> ParameterProblem:
        return ParameterProblem(f"u32: at char {self.at}: {what}")

    def char(self) -> str:
        """The next character that is no blank, "" at the end."""
        while self.text[self.at : self.at + 1] in SPACE and self.at < len(self.text):
            self.at += 1
        return self.text[self.at : self.at + 1]

    def number(self) -> int:
        found = scan(self.text[self.at :], 0, U32)
        if found is None:
            raise self.fail("not a number or out of range")
        value, rest = found
        self.at = len(self.text) - len(rest)
        return value

    def doubled(self, char: str) -> None:
        self.at += 1
        if self.text[self.at : self.at + 1] != char:
            raise self.fail(f"a second '{char}' was expected")
        self.at += 1

    def operator(self) -> str:
        char = self.char()
        if char in ("<", ">"):
            self.doubled(char)
            return char * 2
        if char not in ("&", "@"):
            raise self.fail("operator expected")
        self.at += 1
        return char

    def location(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        while True:
            char = self.char()
            if not char:
                raise ParameterProblem("u32: abrupt end of input after location specifier")
            if char == "=":
                if not steps:
                    raise self.fail("location spec missing")
                self.at += 1
                return tuple(steps)
            operator = self.operator() if steps else ""
            steps.append((operator, self.number()))
            if len(steps) > MOST:
                raise self.fail("too many operators")

    def values(self) -> tuple[tuple[tuple[int, int], ...], bool]:
        """The ranges, and whether another test follows."""
        out: list[tuple[int, int]] = []
        while True:
            char = self.char()
            if not char:
                if not out:
                    raise ParameterProblem("u32: test ended with no value specified")
                return tuple(out), False
            if char == "&":
                self.at += 1
                if self.text[self.at : self.at + 1] != "&":
                    raise self.fail("a second '&' was expected")
                if not out:
                    raise self.fail("value spec missing")
                return tuple(out), True
            if out:
                if char != ",":
                    raise self.fail('expected "," or "&&"')
                self.at += 1
            low = high = self.number()
            if self.char() == ":":
                self.at += 1
                high = self.number()
            out.append((low, high))
            if len(out) > MOST:
                raise self.fail('too many ","s')

    def terms(self) -> tuple[Term, ...]:
        out: list[Term] = []
        while True:
            steps = self.location()
            ranges, more = self.values()
            out.append((steps, ranges))
            if len(out) > MOST:
                raise self.fail('too many "&&"s')
            if not more:
                return tuple(out)
            self.at += 1


def _terms(text: str, cx: OptionContext) -> tuple[Term, ...]:
    return _Reader(text).terms()


def _value(data: bytes, steps: tuple[Step, ...]) -> int | None:
    """Where the steps lead, None outside of the packet."""
    start, value = 0, 0
    for operator, number in steps:
        if operator == "&":
            value &= number
        elif operator == "<<":
            value = value << number & U32
        elif operator == ">>":
            value >>= number
        else:
            start += value
            if start + number + 4 > len(data):
                return None
            value = int.from_bytes(data[start + number : start + number + 4], "big")
    return value


@dataclass(frozen=True, slots=True)
class U32Match(Match):
    """All tests must hold. The packet is read from its IP header on."""

    NAME: ClassVar[str] = "u32"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("u32", _terms, invert=True, mandatory=True, metavar="tests",
            help='location "=" ranges, joined by "&&"; a location is a number, then operators & << >> @ with numbers'),
    )  # fmt: skip

    terms: tuple[Term, ...]
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["u32"].value, given["u32"].inverted)

    def _text(self) -> str:
        return "&&".join(
            "".join(f"{operator}0x{number:x}" for operator, number in steps)
            + "="
            + ",".join(f"0x{low:x}" + (f":0x{high:x}" if low != high else "") for low, high in ranges)
            for steps, ranges in self.terms
        )

    def save(self, base: Base) -> str:
        return f'{" !" if self.inverted else ""} --u32 "{self._text()}"'

    def listing(self, numeric: bool, base: Base) -> str:
        return f' u32{" !" if self.inverted else ""} "{self._text()}"'

    def refused(self, place: Place) -> str | None:
        shifts = (number for steps, _ in self.terms for operator, number in steps if operator in ("<<", ">>"))
        return "EINVAL" if any(number > 31 for number in shifts) else None

    def compile(self, cx: Compile) -> Test:
        terms, inverted = self.terms, self.inverted

        def test(pkt: Packet, ctx: Context) -> bool:
            data = pkt.quoted(pkt.length)
            for steps, ranges in terms:
                value = _value(data, steps)
                if value is None or not any(low <= value <= high for low, high in ranges):
                    return inverted
            return not inverted

        return test


EXTENSIONS = (U32Match,)
