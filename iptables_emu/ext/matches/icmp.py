"""icmp: type and code of an ICMP message (kernel: xt_tcpudp.c, icmp_match)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Opt, Region
from iptables_emu.ext.icmp_types import (
    ANY_TYPE,
    Named,
    TypeMatch,
    list_type,
    names_of,
    type_name,
    type_option,
    type_region,
)

NAMES = names_of("""any:255 echo-reply:0 pong:0 destination-unreachable:3 network-unreachable:3/0 host-unreachable:3/1
protocol-unreachable:3/2 port-unreachable:3/3 fragmentation-needed:3/4 source-route-failed:3/5 network-unknown:3/6
host-unknown:3/7 network-prohibited:3/9 host-prohibited:3/10 TOS-network-unreachable:3/11 TOS-host-unreachable:3/12
communication-prohibited:3/13 host-precedence-violation:3/14 precedence-cutoff:3/15 source-quench:4 redirect:5
network-redirect:5/0 host-redirect:5/1 TOS-network-redirect:5/2 TOS-host-redirect:5/3 echo-request:8 ping:8
router-advertisement:9 router-solicitation:10 time-exceeded:11 ttl-exceeded:11 ttl-zero-during-transit:11/0
ttl-zero-during-reassembly:11/1 parameter-problem:12 ip-header-bad:12/0 required-option-missing:12/1
timestamp-request:13 timestamp-reply:14 address-mask-request:17 address-mask-reply:18""")


@dataclass(frozen=True, slots=True)
class Icmp(TypeMatch):
    """Type 255 is any."""

    NAME: ClassVar[str] = "icmp"
    OPTION: ClassVar[str] = "icmp-type"
    WORD: ClassVar[str] = "ICMP"
    TABLE: ClassVar[tuple[Named, ...]] = NAMES
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({1})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("icmp-type", type_option(NAMES, "ICMP"), invert=True, mandatory=True, metavar="type[/code]",
            help="ICMP type, by number or name, or type and code"),
    )  # fmt: skip

    def save(self, base: Base) -> str:
        kind, low, high = self.value
        out = f"{' !' if self.inverted else ''} --icmp-type "
        all_codes = (low, high) == (0, 255)
        if kind == ANY_TYPE and (all_codes or not base.tells_codes_of_any):
            return f"{out}any"
        return f"{out}{kind}" if all_codes else f"{out}{kind}/{low}"

    def listing(self, numeric: bool, base: Base) -> str:
        return " icmp" + list_type(NAMES, self.value, self.inverted, numeric)

    def translate(self, base: Base) -> str | None:
        """``any`` asks nothing, but the protocol that is not said for its sake has to be."""
        if self.value[0] == ANY_TYPE:
            return "ip protocol icmp"
        name = type_name(NAMES, self.value)
        return f"icmp type {nft.unless(self.inverted)}{name}" if name else None

    def region(self, base: Base) -> Region:
        return type_region(self.value, self.inverted, self.save(base).strip(), wildcard=True)


EXTENSIONS = (Icmp,)
