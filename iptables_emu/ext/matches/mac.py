"""mac: source address of the Ethernet frame (kernel: xt_mac.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.region import within
from iptables_emu.options.types import ether_mac, show_mac


@dataclass(frozen=True, slots=True)
class Mac(Match):
    """``address`` is the MAC as a number; a packet without an Ethernet header matches neither way."""

    NAME: ClassVar[str] = "mac"
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"PREROUTING", "INPUT", "FORWARD"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("mac-source", ether_mac, invert=True, mandatory=True, metavar="XX:XX:XX:XX:XX:XX",
            help="source MAC address"),
    )  # fmt: skip

    address: int
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["mac-source"].value, given["mac-source"].inverted)

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --mac-source {show_mac(self.address)}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" MAC {'! ' if self.inverted else ''}{show_mac(self.address)}"

    def translate(self, base: Base) -> str:
        return f"ether saddr {nft.unless(self.inverted)}{show_mac(self.address)}"

    def region(self, base: Base) -> Region:
        return Region(((within("mac", ((self.address, self.address),), self.inverted, self.save(base).strip()),),))


EXTENSIONS = (Mac,)
