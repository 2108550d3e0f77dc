"""pkttype: to whom the link layer delivered the packet (kernel: xt_pkttype.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.region import within
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

# PACKET_* numbers; the first name of a number is the one shown
NAMES = (("unicast", 0), ("broadcast", 1), ("multicast", 2), ("otherhost", 3), ("bcast", 1), ("mcast", 2), ("host", 0))


def _type(text: str, cx: OptionContext) -> int:
    found = next((number for name, number in NAMES if name == text.lower()), None)
    if found is None:
        raise ParameterProblem(f"Bad packet type '{text}'")
    return found


@dataclass(frozen=True, slots=True)
class Pkttype(Match):
    """``kind`` is the kernel's PACKET_* number."""

    NAME: ClassVar[str] = "pkttype"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("pkt-type", _type, invert=True, mandatory=True, metavar="type",
            help="unicast (to us), broadcast, multicast or otherhost (to another machine)"),
    )  # fmt: skip

    kind: int
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["pkt-type"].value, given["pkt-type"].inverted)

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --pkt-type {NAMES[self.kind][0]}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" PKTTYPE {'!' if self.inverted else ''}= {NAMES[self.kind][0]}"

    def translate(self, base: Base) -> str:
        """Upstream has a name for the first three kinds only."""
        return f"pkttype {nft.unless(self.inverted)}{NAMES[self.kind][0] if self.kind < 3 else self.kind}"

    def region(self, base: Base) -> Region:
        return Region(((within("pkttype", ((self.kind, self.kind),), self.inverted, self.save(base).strip()),),))


EXTENSIONS = (Pkttype,)
