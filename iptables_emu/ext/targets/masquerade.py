"""MASQUERADE: SNAT to the address of the outgoing interface (kernel: xt_MASQUERADE.c, nf_nat_masquerade.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from iptables_emu.ext.api import Action, Compile, Opt, Verdict
from iptables_emu.ext.nat import HostNatTarget, ports

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Masquerade(HostNatTarget):
    """The outgoing interface gives the address when a connection begins."""

    NAME: ClassVar[str] = "MASQUERADE"
    LISTED_PORTS: ClassVar[str] = "masq ports: "
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"nat"})
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"POSTROUTING"})
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("to-ports", ports, metavar="port[-port]", help="Source port (range) to map to", ident=2),
        Opt("random", help="Choose the port at random", ident=3),
        Opt("random-fully", help="Choose the port fully at random", ident=4),
    )

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
