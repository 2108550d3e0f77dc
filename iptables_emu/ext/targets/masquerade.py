"""MASQUERADE: SNAT to the address of the outgoing interface (kernel: xt_MASQUERADE.c, nf_nat_masquerade.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Gathered, Opt, Verdict
from iptables_emu.ext.nat import NatTarget, ports

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Masquerade(NatTarget):
    """``addresses`` is never set: the host gives the address when a connection begins."""

    NAME: ClassVar[str] = "MASQUERADE"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"nat"})
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"POSTROUTING"})
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("to-ports", ports, metavar="port[-port]", help="Source port (range) to map to", ident=2),
        Opt("random", help="Choose the port at random", ident=3),
        Opt("random-fully", help="Choose the port fully at random", ident=4),
    )

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls.gather(given, None, given["to-ports"].value if "to-ports" in given else None)

    def save(self, base: Base) -> str:
        return self.show("--to-ports ", "--", base.family, with_colon=False)

    def listing(self, numeric: bool, base: Base) -> str:
        return self.show("masq ports: ", "", base.family, with_colon=False)

    def compile(self, cx: Compile) -> Action:
        def act(pkt: Packet, ctx: Context) -> Verdict:
            if pkt.family == 4 and pkt.ct is not None and pkt.ct.original.src == 0:
                return Verdict.ACCEPT  # sent before the host had an address (DHCP)
            source = ctx.host.masquerade_address(pkt, ctx.oif)
            if source is None:
                return Verdict.DROP
            if pkt.ct is not None:
                pkt.ct.masq_dev = ctx.oif
            return ctx.conntrack.setup_nat(pkt, self.range(source), "src", ctx)

        return act


EXTENSIONS = (Masquerade,)
