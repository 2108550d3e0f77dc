"""dccp: ports, packet types and options of DCCP (kernel: xt_dccp.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Region, Test
from iptables_emu.ext.ports import PortRange, given_ports, list_ports, save_given_ports
from iptables_emu.ext.region import Header, within
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import port_range, uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

TYPES = ("REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK", "INVALID")
INVALID = 10
ALL_INVALID = 0xFC00  # the types 10 to 15
# bytes of the header behind its common part, by type (RFC 4340; kernel: dccp_packet_hdr_len)
REST = (4, 12, 0, 8, 8, 8, 8, 12, 8, 8)


def _types(text: str, cx: OptionContext) -> int:
    mask = 0
    for word in filter(None, text.split(",")):
        if word.upper() not in TYPES:
            raise ParameterProblem(f"Unknown DCCP type `{word}'")
        mask |= 1 << TYPES.index(word.upper())
    return mask | ALL_INVALID if mask & 1 << INVALID else mask


def _has_option(pkt: Packet, wanted: int) -> bool:
    """Whether the header carries the option; one that cannot be read carries none, and is dropped after the rule."""
    head = pkt.data[pkt.l4 :]
    kind, extended = head[8] >> 1 & 15, head[8] & 1
    start = 12 + 4 * extended + (REST[kind] if kind < len(REST) else 12)
    end = head[4] * 4
    if end < start or start < end > len(head):
        pkt.hotdrop = True
        return False
    while start < end:
        if head[start] == wanted:
            return True
        size = head[start + 1] if start + 1 < end else 0
        start += 1 if head[start] < 2 else size or 1
    return False


@dataclass(frozen=True, slots=True)
class Dccp(Match):
    """Ports are inclusive (low, high); ``types`` has a bit for each packet type; None means not asked."""

    NAME: ClassVar[str] = "dccp"
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({33})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("source-port", port_range, "sport", invert=True, metavar="port[:port]", help="source port, or a range"),
        Opt("sport", port_range, "sport", invert=True),
        Opt("destination-port", port_range, "dport", invert=True, metavar="port[:port]",
            help="destination port, or a range"),
        Opt("dport", port_range, "dport", invert=True),
        Opt("dccp-types", _types, invert=True, metavar="type[,...]", help=f"one of the types {' '.join(TYPES)}"),
        Opt("dccp-option", uint(8, 1, 255), invert=True, metavar="number", help="an option of this number is there"),
    )  # fmt: skip

    sports: PortRange | None = None
    not_sports: bool = False
    dports: PortRange | None = None
    not_dports: bool = False
    types: int | None = None
    not_types: bool = False
    option: int | None = None
    not_option: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        types, option = given.get("dccp-types"), given.get("dccp-option")
        return cls(
            *given_ports(given, "sport"), *given_ports(given, "dport"),
            types.value if types else None, bool(types and types.inverted),
            option.value if option else None, bool(option and option.inverted),
        )  # fmt: skip

    def _type_words(self, numeric: bool) -> str:
        kinds = [kind for kind in range(16) if (self.types or 0) >> kind & 1]
        if numeric:
            return ",".join(map(str, kinds))
        return ",".join(TYPES[kind] for kind in kinds if kind <= INVALID)

    def _save_types(self) -> str:
        return f"{' !' if self.not_types else ''} --dccp-types {self._type_words(False)}"

    def _save_option(self) -> str:
        return f"{' !' if self.not_option else ''} --dccp-option {self.option}"

    def save(self, base: Base) -> str:
        out = save_given_ports("sport", self.sports, self.not_sports)
        out += save_given_ports("dport", self.dports, self.not_dports)
        out += self._save_types() if self.types is not None else ""
        return out + (self._save_option() if self.option is not None else "")

    def listing(self, numeric: bool, base: Base) -> str:
        out = " dccp"
        if self.sports is not None:
            out += list_ports("spt", self.sports, self.not_sports, numeric, "dccp")
        if self.dports is not None:
            out += list_ports("dpt", self.dports, self.not_dports, numeric, "dccp")
        if self.types is not None:
            out += f"{' !' if self.not_types else ''} {self._type_words(numeric)}"
        if self.option is not None:
            out += f" option={'!' if self.not_option else ''}{self.option}"
        return out

    def translate(self, base: Base) -> str | None:
        if self.option is not None:
            return None
        words = nft.ports("dccp sport", self.sports, self.not_sports, all_of_them=True)
        words += nft.ports("dccp dport", self.dports, self.not_dports, all_of_them=True)
        if types := self.types:
            names = [TYPES[kind].lower() for kind in range(INVALID) if types >> kind & 1]
            names += [f"{INVALID}-15"] if types & ALL_INVALID else []
            text = names[0] if len(names) == 1 else f"{{ {', '.join(names)} }}"
            words.append(f"dccp type {nft.unless(self.not_types)}{text}")
        return " ".join(words)

    def region(self, base: Base) -> Region:
        clauses = []
        for option, ports, inverted in (
            ("sport", self.sports, self.not_sports),
            ("dport", self.dports, self.not_dports),
        ):
            if ports is not None:
                label = save_given_ports(option, ports, inverted).strip()
                clauses.append(within(option, (ports,), inverted, label))
        if self.types is not None:
            kinds = [(kind, kind) for kind in range(16) if self.types >> kind & 1] or [(16, 16)]
            clauses.append(within("dccp_type", kinds, self.not_types, self._save_types().strip()))
        return Region((tuple(clauses),), Header(12))

    def compile(self, cx: Compile) -> Test:
        plain, option, inverted = self.region(cx.base).test(), self.option, self.not_option
        if option is None:
            return plain

        def test(pkt: Packet, ctx: Context) -> bool:
            return plain(pkt, ctx) and _has_option(pkt, option) is not inverted

        return test


EXTENSIONS = (Dccp,)
