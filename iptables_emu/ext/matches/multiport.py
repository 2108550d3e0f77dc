"""multiport: one of up to 15 ports or port ranges (kernel: xt_multiport.c, revision 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.ports import PortRange, port_name
from iptables_emu.ext.region import Header, within
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext, others
from iptables_emu.options.types import service

SLOTS = 15  # XT_MULTI_PORTS; a range takes two
# those whose ports lie first
PROTOCOL_NAMES = {6: "tcp", 17: "udp", 136: "udplite", 132: "sctp", 33: "dccp"}
KEYS = ("source-ports", "destination-ports", "ports")
SIDES = {"source-ports": "sports", "destination-ports": "dports", "ports": "ports"}


def _protocol(base: Base) -> str:
    if not base.proto and not base.proto_inverted:
        raise ParameterProblem("multiport needs `-p tcp', `-p udp', `-p udplite', `-p sctp' or `-p dccp'")
    if base.proto_inverted or base.proto not in PROTOCOL_NAMES:
        raise ParameterProblem("multiport only works with TCP, UDP, UDPLITE, SCTP and DCCP")
    return PROTOCOL_NAMES[base.proto]


def _ports(text: str, cx: OptionContext) -> tuple[PortRange, ...]:
    proto = _protocol(cx.base)
    out: list[PortRange] = []
    slots = 0
    for part in text.split(","):
        if slots >= SLOTS:
            raise ParameterProblem("too many ports specified")
        low, colon, high = part.partition(":")
        if colon and slots == SLOTS - 1:
            raise ParameterProblem("too many ports specified")
        first = service(low, proto)
        last = service(high, proto) if colon else first
        if colon and first >= last:
            raise ParameterProblem("invalid portrange specified")
        out.append((first, last))
        slots += 2 if colon else 1
    return tuple(out)


@dataclass(frozen=True, slots=True)
class Multiport(Match):
    """``side`` is sports, dports or ports (either); ``ranges`` are inclusive, in the order written."""

    NAME: ClassVar[str] = "multiport"
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset(PROTOCOL_NAMES)
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("source-ports", _ports, invert=True, excludes=others(KEYS, "source-ports"), metavar="port[,port:port]...",
            help="source port is one of these"),
        Opt("sports", _ports, "source-ports", invert=True, excludes=others(KEYS, "source-ports")),
        Opt("destination-ports", _ports, invert=True, excludes=others(KEYS, "destination-ports"),
            metavar="port[,port:port]...", help="destination port is one of these"),
        Opt("dports", _ports, "destination-ports", invert=True, excludes=others(KEYS, "destination-ports")),
        Opt("ports", _ports, invert=True, excludes=others(KEYS, "ports"), metavar="port[,port:port]...",
            help="source or destination port is one of these"),
    )  # fmt: skip

    side: str
    ranges: tuple[PortRange, ...]
    inverted: bool = False

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("no ports specified")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        key, g = next(iter(given.items()))
        return cls(SIDES[key], g.value, g.inverted)

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --{self.side} {self._show(True, base)}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" multiport {self.side} {' !' if self.inverted else ''}{self._show(numeric, base)}"

    def translate(self, base: Base) -> str:
        """Of ``--ports`` upstream forgets the inversion, and takes the ends of a range for two ports."""
        proto = PROTOCOL_NAMES[base.proto]
        if self.side == "ports":
            single = [port for low, high in self.ranges for port in ((low,) if low == high else (low, high))]
            pairs = ", ".join(f"0-65535 . {port}, {port} . 0-65535" for port in single)
            return f"{proto} sport . {proto} dport {{ {pairs} }}"
        words = ", ".join(nft.span(*each) for each in self.ranges)
        many = f"{{ {words} }}" if len(self.ranges) > 1 else words
        return f"{proto} {self.side[:-1]} {nft.unless(self.inverted)}{many}"

    def _show(self, numeric: bool, base: Base) -> str:
        proto = PROTOCOL_NAMES.get(base.proto, "")
        parts = []
        for low, high in self.ranges:
            first = port_name(low, numeric, proto)
            parts.append(first if low == high else f"{first}:{port_name(high, numeric, proto)}")
        return ",".join(parts)

    def region(self, base: Base) -> Region:
        label = self.save(base).strip()
        fields = {"sports": ("sport",), "dports": ("dport",), "ports": ("sport", "dport")}[self.side]
        clauses = tuple(within(field, self.ranges, self.inverted, label) for field in fields)
        return Region((clauses,) if self.inverted else tuple((c,) for c in clauses), Header(4))


EXTENSIONS = (Multiport,)
