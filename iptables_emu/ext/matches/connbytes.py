"""connbytes: packets and bytes that a connection has had so far (kernel: xt_connbytes.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.options.numbers import U64
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import uint_range

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

DIRECTIONS = {"original": (0,), "reply": (1,), "both": (0, 1)}
MODES = ("packets", "bytes", "avgpkt")


def _direction(text: str, cx: OptionContext) -> str:
    if text not in DIRECTIONS:
        raise ParameterProblem(f"Unknown --connbytes-dir `{text}'")
    return text


def _mode(text: str, cx: OptionContext) -> str:
    if text not in MODES:
        raise ParameterProblem(f"Unknown --connbytes-mode `{text}'")
    return text


@dataclass(frozen=True, slots=True)
class Connbytes(Match):
    """``first`` > ``last`` is how the kernel writes the inversion: neither of the two nor what lies between."""

    NAME: ClassVar[str] = "connbytes"
    NEEDS_CONNTRACK: ClassVar[bool] = True
    NEEDS_ACCOUNTING: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("connbytes", uint_range(64), invert=True, mandatory=True, metavar="from:[to]",
            help="packets or bytes so far, inclusive"),
        Opt("connbytes-dir", _direction, mandatory=True, metavar="direction", help="original, reply or both"),
        Opt("connbytes-mode", _mode, mandatory=True, metavar="mode",
            help="what to count: packets, bytes or avgpkt (bytes a packet)"),
    )  # fmt: skip

    first: int
    last: int
    direction: str
    mode: str

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        g = given["connbytes"]
        first, last = g.value if len(g.value) == 2 else (g.value[0], U64)
        if g.inverted:
            first, last = last, first
        return cls(first, last, given["connbytes-dir"].value, given["connbytes-mode"].value)

    def save(self, base: Base) -> str:
        return f"{self._range('--')} --connbytes-mode {self.mode} --connbytes-dir {self.direction}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f"{self._range('')} connbytes mode {self.mode} connbytes direction {self.direction}"

    def translate(self, base: Base) -> str:
        way = "" if self.direction == "both" else f"{self.direction} "
        low, high, inverted = min(self.first, self.last), max(self.first, self.last), self.first > self.last
        if high == U64 and low != high:
            return f"ct {way}{self.mode} {'lt' if inverted else 'ge'} {low}"
        return f"ct {way}{self.mode} {nft.unless(inverted)}{nft.span(low, high)}"

    def _range(self, prefix: str) -> str:
        low, high = sorted((self.first, self.last))
        upper = f":{high}" if 0 < high < U64 else ""
        return f"{' !' if self.first > self.last else ''} {prefix}connbytes {low}{upper}"

    def compile(self, cx: Compile) -> Test:
        first, last = self.first, self.last

        def test(pkt: Packet, ctx: Context) -> bool:
            value = self._value(pkt)
            if value is None:
                return False
            return first <= value <= last if first <= last else value < last or value > first

        return test

    def _value(self, pkt: Packet) -> int | None:
        """What is counted; None for a packet without a connection, or one made before accounting was on."""
        if pkt.ct is None or not pkt.ct.accounted:
            return None
        sides = DIRECTIONS[self.direction]
        packets = sum(pkt.ct.packets[side] for side in sides)
        octets = sum(pkt.ct.bytes[side] for side in sides)
        if self.mode == "avgpkt":
            return octets // packets if packets else 0
        return packets if self.mode == "packets" else octets

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        value = self._value(pkt)
        return self._range("--").strip(), "no count" if value is None else f"{value} {self.mode}"


EXTENSIONS = (Connbytes,)
