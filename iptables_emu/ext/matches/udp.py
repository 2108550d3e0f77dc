"""udp: ports of a UDP datagram (kernel: xt_tcpudp.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.ports import ANY, PortRange, list_ports, native_ports, port_clauses, save_ports
from iptables_emu.ext.region import Header
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import port_range


@dataclass(frozen=True, slots=True)
class Udp(Match):
    """Ports are inclusive (low, high)."""

    NAME: ClassVar[str] = "udp"
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({17})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("source-port", port_range, "sport", invert=True, metavar="port[:port]", help="port or ports it comes from"),
        Opt("sport", port_range, "sport", invert=True),
        Opt("destination-port", port_range, "dport", invert=True, metavar="port[:port]",
            help="port or ports it is sent to"),
        Opt("dport", port_range, "dport", invert=True),
    )  # fmt: skip

    sports: PortRange = ANY
    not_sports: bool = False
    dports: PortRange = ANY
    not_dports: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        out = cls()
        if g := given.get("sport"):
            out = replace(out, sports=g.value, not_sports=g.inverted)
        if g := given.get("dport"):
            out = replace(out, dports=g.value, not_dports=g.inverted)
        return out

    def save(self, base: Base) -> str:
        return save_ports("sport", self.sports, self.not_sports) + save_ports("dport", self.dports, self.not_dports)

    def listing(self, numeric: bool, base: Base) -> str:
        out = " udp" + list_ports("spt", self.sports, self.not_sports, numeric, "udp")
        return out + list_ports("dpt", self.dports, self.not_dports, numeric, "udp")

    def translate(self, base: Base) -> str:
        words = nft.ports("udp sport", self.sports, self.not_sports, all_of_them=False)
        words += nft.ports("udp dport", self.dports, self.not_dports, all_of_them=False)
        return " ".join(words) or "meta l4proto udp"

    def is_native(self) -> bool:
        return self.not_sports or self.not_dports or not self.sports == self.dports == ANY

    def native(self, base: Base) -> Self:
        if self.is_native() and base.proto != 17:
            raise ParameterProblem("UDP match requires '-p udp'")
        if not (self.not_sports or self.not_dports) or not self.is_native():
            return self
        sports, not_sports = native_ports(self.sports, self.not_sports)
        dports, not_dports = native_ports(self.dports, self.not_dports)
        return replace(self, sports=sports, not_sports=not_sports, dports=dports, not_dports=not_dports)

    def joined(self, later: Match) -> Self | None:
        if not isinstance(later, Udp) or not (self.is_native() and later.is_native()):
            return None
        out = self
        if later.sports != ANY or later.not_sports:
            out = replace(out, sports=later.sports, not_sports=later.not_sports)
        if later.dports != ANY or later.not_dports:
            out = replace(out, dports=later.dports, not_dports=later.not_dports)
        return out

    def region(self, base: Base) -> Region:
        clauses = tuple(port_clauses(self.sports, self.not_sports, self.dports, self.not_dports))
        if base.personality == "nft" and self.is_native():
            return Region((clauses,), Header(0, hotdrop=False, raw=True))
        return Region((clauses,), Header(8))


EXTENSIONS = (Udp,)
