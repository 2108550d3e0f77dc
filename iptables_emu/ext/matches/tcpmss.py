"""tcpmss: the MSS option of a TCP header (kernel: xt_tcpmss.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.options.types import uint_range

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

KIND, LENGTH = 2, 4


def _mss(pkt: Packet) -> int | None:
    """The value of the MSS option, None without one. Drops a header that cannot be read whole.

    A later fragment is read as if a header began there: the kernel does not look at the offset.
    """
    start = 0 if pkt.family == 6 and pkt.frag_offset else pkt.l4  # the kernel does not know of a later fragment's
    head = bytes(pkt.data[start : start + 60])
    length = (head[12] >> 4) * 4 if len(head) >= 20 else 0
    if length < 20 or len(head) < length:
        pkt.hotdrop = True
        return None
    options, at = head[20:length], 0
    while at < len(options):
        kind, size = options[at], options[at + 1] if at + 1 < len(options) else 0
        if kind == KIND and len(options) - at >= LENGTH and size == LENGTH:
            return int.from_bytes(options[at + 2 : at + 4], "big")
        at += 1 if kind < 2 else size or 1
    return None


@dataclass(frozen=True, slots=True)
class Tcpmss(Match):
    """The MSS lies in low to high, or with ``inverted`` does not or is missing."""

    NAME: ClassVar[str] = "tcpmss"
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({6})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("mss", uint_range(16), invert=True, mandatory=True, metavar="value[:value]",
            help="maximum segment size, or a range"),
    )  # fmt: skip

    low: int
    high: int
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        values = given["mss"].value
        return cls(values[0], values[-1], given["mss"].inverted)

    def _range(self) -> str:
        return f"{self.low}" + (f":{self.high}" if self.low != self.high else "")

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --mss {self._range()}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" tcpmss match {'!' if self.inverted else ''}{self._range()}"

    def translate(self, base: Base) -> str:
        return f"tcp option maxseg size {nft.unless(self.inverted)}{nft.span(self.low, self.high)}"

    def compile(self, cx: Compile) -> Test:
        low, high, inverted = self.low, self.high, self.inverted

        def test(pkt: Packet, ctx: Context) -> bool:
            mss = _mss(pkt)
            if pkt.hotdrop:
                return False
            return (mss is not None and low <= mss <= high) is not inverted

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str] | None:
        was, mss = pkt.hotdrop, _mss(pkt)
        pkt.hotdrop = was
        return self.save(base).strip(), "no MSS option" if mss is None else f"MSS {mss}"


EXTENSIONS = (Tcpmss,)
