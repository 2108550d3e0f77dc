"""udp: ports of a UDP datagram (kernel: xt_tcpudp.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Opt, Region
from iptables_emu.ext.ports import PortMatch
from iptables_emu.ext.region import Header
from iptables_emu.options.types import port_range
from iptables_emu.packet.packet import UDP


@dataclass(frozen=True, slots=True)
class Udp(PortMatch):
    """Ports of the datagram."""

    NAME: ClassVar[str] = "udp"
    NUMBER: ClassVar[int] = UDP
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({UDP})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("source-port", port_range, "sport", invert=True, metavar="port[:port]", help="port or ports it comes from"),
        Opt("sport", port_range, "sport", invert=True),
        Opt("destination-port", port_range, "dport", invert=True, metavar="port[:port]",
            help="port or ports it is sent to"),
        Opt("dport", port_range, "dport", invert=True),
    )  # fmt: skip

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls.with_ports(given)

    def save(self, base: Base) -> str:
        return self.saved_ports(base)

    def listing(self, numeric: bool, base: Base) -> str:
        return " udp" + self.listed_ports(numeric)

    def translate(self, base: Base) -> str:
        words = nft.ports("udp sport", self.sports, self.not_sports, all_of_them=False)
        words += nft.ports("udp dport", self.dports, self.not_dports, all_of_them=False)
        return " ".join(words) or "meta l4proto udp"

    def is_native(self) -> bool:
        return self.asks_ports()

    def region(self, base: Base) -> Region:
        native = base.personality == "nft" and self.is_native()
        return self.port_region(base, [], Header(0, hotdrop=False, raw=True) if native else Header(8))


EXTENSIONS = (Udp,)
