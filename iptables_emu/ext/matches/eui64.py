"""eui64: the source address is made of the frame's source MAC (kernel: ip6t_eui64.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext.api import Base, Gathered, Match, Region
from iptables_emu.ext.region import within


@dataclass(frozen=True, slots=True)
class Eui64(Match):
    """No options; a packet without an Ethernet frame never matches."""

    NAME: ClassVar[str] = "eui64"
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"PREROUTING", "INPUT", "FORWARD"})

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls()

    def listing(self, numeric: bool, base: Base) -> str:
        """Its library cannot print: iptables-legacy then gives the name, iptables-nft nothing."""
        return "eui64 " if base.personality == "legacy" else ""

    def region(self, base: Base) -> Region:
        return Region(((within("eui64", ((1, 1),), label="-m eui64"),),))


EXTENSIONS = (Eui64,)
