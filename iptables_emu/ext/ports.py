"""What tcp, udp and their like share: port ranges as those extensions write and mean them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from iptables_emu.ext.api import Base, Match, Region
from iptables_emu.ext.region import Clause, Header, within
from iptables_emu.options import names
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Gathered, OptionContext
from iptables_emu.options.types import service

PortRange = tuple[int, int]
ANY: PortRange = (0, 65535)


def port_range(proto: str) -> Callable[[str, OptionContext], PortRange]:
    """``80``, ``http``, ``1:2``, ``:2``, ``1:`` -> (low, high)."""

    def convert(text: str, cx: OptionContext) -> PortRange:
        low, colon, high = text.partition(":")
        if not colon:
            value = service(text, proto)
            return value, value
        bounds = (service(low, proto) if low else 0, service(high, proto) if high else 0xFFFF)
        if bounds[0] > bounds[1]:
            raise ParameterProblem("invalid portrange (min > max)")
        return bounds

    return convert


def save_ports(option: str, ports: PortRange, inverted: bool, base: Base) -> str:
    """`` --dport 80:90``, or "" for all ports."""
    if ports == ANY and not (inverted and base.tells_not_all):
        return ""
    low, high = ports
    return f"{' !' if inverted else ''} --{option} {low}" + (f":{high}" if low != high else "")


def list_ports(word: str, ports: PortRange, inverted: bool, numeric: bool, proto: str) -> str:
    """`` dpt:ssh``, `` dpts:!80:90``."""
    if ports == ANY and not inverted:
        return ""
    sign, low, high = "!" if inverted else "", *(port_name(p, numeric, proto) for p in ports)
    return f" {word}:{sign}{low}" if ports[0] == ports[1] else f" {word}s:{sign}{low}:{high}"


def port_name(port: int, numeric: bool, proto: str) -> str:
    """The service's name unless numeric."""
    return str(port) if numeric else names.service_name(port, proto) or str(port)


def port_clauses(
    sports: PortRange, not_sports: bool, dports: PortRange, not_dports: bool, base: Base
) -> list[Clause]:
    """The clauses of --sport and --dport; all ports say nothing."""
    out = []
    for field, option, ports, inverted in (
        ("sport", "sport", sports, not_sports),
        ("dport", "dport", dports, not_dports),
    ):
        if ports != ANY or inverted:
            out.append(within(field, (ports,), inverted, save_ports(option, ports, inverted, base).strip()))
    return out


def native_ports(ports: PortRange, inverted: bool, base: Base) -> tuple[PortRange, bool]:
    """What iptables-nft gives back for a port range: ``! :22`` becomes ``23:65535`` (nft's range expression).

    1.8.9 makes no expression of all ports, be they negated.
    """
    low, high = ports
    if ports == ANY and not base.tells_not_all:
        return ANY, False
    if inverted and low == 0 and high < 0xFFFF:
        return (high + 1, 0xFFFF), False
    return ports, inverted


def _single(ports: PortRange) -> bool:
    return 0 < ports[0] == ports[1]


def given_ports(given: Gathered, key: str) -> tuple[PortRange | None, bool]:
    """(range, inverted) of an option, None when it is not there: for matches that write all ports out."""
    g = given.get(key)
    return (g.value, g.inverted) if g else (None, False)


def save_given_ports(option: str, ports: PortRange | None, inverted: bool) -> str:
    """The same as :func:`save_ports`, but all ports are written when they were asked for."""
    if ports is None:
        return ""
    low, high = ports
    return f"{' !' if inverted else ''} --{option} {low}" + (f":{high}" if low != high else "")


@dataclass(frozen=True, slots=True)
class PortMatch(Match):
    """What tcp and udp share: ports, inclusive (low, high), and how iptables-nft says them in nft's expressions."""

    NUMBER: ClassVar[int]

    sports: PortRange = ANY
    not_sports: bool = False
    dports: PortRange = ANY
    not_dports: bool = False
    either: bool = False  # iptables-nft of 1.8.9: of two negated ports one that differs is enough

    @classmethod
    def with_ports(cls, given: Gathered) -> Self:
        """The match with the ports that were given."""
        out = cls()
        if g := given.get("sport"):
            out = replace(out, sports=g.value, not_sports=g.inverted)
        if g := given.get("dport"):
            out = replace(out, dports=g.value, not_dports=g.inverted)
        return out

    def asks_ports(self) -> bool:
        """Whether it looks at the ports at all."""
        return self.not_sports or self.not_dports or not self.sports == self.dports == ANY

    def port_region(self, base: Base, others: list[Clause], header: Header) -> Region:
        """What the ports and the other clauses mean."""
        clauses = port_clauses(self.sports, self.not_sports, self.dports, self.not_dports, base)
        if self.either:
            return Region(tuple((clause, *others) for clause in clauses), header)
        return Region(((*clauses, *others),), header)

    def saved_ports(self, base: Base) -> str:
        out = save_ports("sport", self.sports, self.not_sports, base)
        return out + save_ports("dport", self.dports, self.not_dports, base)

    def listed_ports(self, numeric: bool) -> str:
        out = list_ports("spt", self.sports, self.not_sports, numeric, self.NAME)
        return out + list_ports("dpt", self.dports, self.not_dports, numeric, self.NAME)

    def native(self, base: Base) -> Self | None:
        if self.is_native() and base.proto != self.NUMBER:
            raise ParameterProblem(f"{self.NAME.upper()} match requires '-p {self.NAME}'")
        if not (self.not_sports or self.not_dports) or not self.is_native():
            return self
        sports, not_sports = native_ports(self.sports, self.not_sports, base)
        dports, not_dports = native_ports(self.dports, self.not_dports, base)
        either = not base.tells_not_all and not_sports and not_dports and _single(sports) and _single(dports)
        made = replace(
            self, sports=sports, not_sports=not_sports, dports=dports, not_dports=not_dports, either=either
        )
        return made if made.is_native() else None

    def joined(self, later: Match) -> Self | None:
        if not isinstance(later, type(self)) or not (self.is_native() and later.is_native()):
            return None
        out = self
        if later.sports != ANY or later.not_sports:
            out = replace(out, sports=later.sports, not_sports=later.not_sports)
        if later.dports != ANY or later.not_dports:
            out = replace(out, dports=later.dports, not_dports=later.not_dports)
        return out
