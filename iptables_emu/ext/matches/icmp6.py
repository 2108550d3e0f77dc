"""icmp6: type and code of an ICMPv6 message (kernel: xt_tcpudp.c, icmp6_match)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Opt, Region
from iptables_emu.ext.icmp_types import Named, TypeMatch, list_type, names_of, type_name, type_option, type_region

NAMES = names_of("""destination-unreachable:1 no-route:1/0 communication-prohibited:1/1 beyond-scope:1/2
address-unreachable:1/3 port-unreachable:1/4 failed-policy:1/5 reject-route:1/6 packet-too-big:2 time-exceeded:3
ttl-exceeded:3 ttl-zero-during-transit:3/0 ttl-zero-during-reassembly:3/1 parameter-problem:4 bad-header:4/0
unknown-header-type:4/1 unknown-option:4/2 echo-request:128 ping:128 echo-reply:129 pong:129 mld-listener-query:130
mld-listener-report:131 mld-listener-done:132 mld-listener-reduction:132 router-solicitation:133
router-advertisement:134 neighbour-solicitation:135 neighbor-solicitation:135 neighbour-advertisement:136
neighbor-advertisement:136 redirect:137""")
# nft's names for neighbour discovery
ND_NAMES = {133: "nd-router-solicit", 134: "nd-router-advert", 135: "nd-neighbor-solicit", 136: "nd-neighbor-advert",
            137: "nd-redirect"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Icmp6(TypeMatch):
    """Here 255 is a type as any other."""

    NAME: ClassVar[str] = "icmp6"
    OPTION: ClassVar[str] = "icmpv6-type"
    WORD: ClassVar[str] = "ICMPv6"
    TABLE: ClassVar[tuple[Named, ...]] = NAMES
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({58})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("icmpv6-type", type_option(NAMES, "ICMPv6"), invert=True, mandatory=True, metavar="type[/code]",
            help="ICMPv6 type, by number or name, or type and code"),
    )  # fmt: skip

    def save(self, base: Base) -> str:
        kind, low, high = self.value
        code = "" if (low, high) == (0, 255) else f"/{low}"
        return f"{' !' if self.inverted else ''} --icmpv6-type {kind}{code}"

    def listing(self, numeric: bool, base: Base) -> str:
        return " ipv6-icmp" + list_type(NAMES, self.value, self.inverted, numeric)

    def translate(self, base: Base) -> str | None:
        kind, low, high = self.value
        name = ND_NAMES.get(kind) if low != high else None
        name = name or type_name(NAMES, self.value)
        return f"icmpv6 type {nft.unless(self.inverted)}{name}" if name else None

    def region(self, base: Base) -> Region:
        return type_region(self.value, self.inverted, self.save(base).strip(), wildcard=False)


EXTENSIONS = (Icmp6,)
