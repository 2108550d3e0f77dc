"""REDIRECT: DNAT to the host itself (kernel: xt_REDIRECT.c, nf_nat_redirect.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from iptables_emu.ext.api import Action, Base, Compile, Gathered, Opt, Verdict
from iptables_emu.ext.nat import HostNatTarget, ports
from iptables_emu.host.address6 import redirect_address

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

LOOPBACK = {4: 0x7F000001, 6: 1}


@dataclass(frozen=True, slots=True)
class Redirect(HostNatTarget):
    """To the incoming interface's address, or the loopback address in OUTPUT."""

    NAME: ClassVar[str] = "REDIRECT"
    LISTED_PORTS: ClassVar[str] = "redir ports "
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"nat"})
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"PREROUTING", "OUTPUT"})
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("to-ports", ports, metavar="port[-port]", help="Destination port (range) to map to", ident=2),
        Opt("random", help="Choose the port at random", ident=3),
    )

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        cls.refuse_shift(given["to-ports"].value if "to-ports" in given else None)

    def compile(self, cx: Compile) -> Action:
        def act(pkt: Packet, ctx: Context) -> Verdict:
            if ctx.hook == "OUTPUT":
                where: int | None = LOOPBACK[pkt.family]
            elif pkt.family == 6:
                where = redirect_address(ctx.host, ctx.iif, pkt.dst)
            else:
                where = ctx.host.primary_address(ctx.iif, 4)
            if where is None:
                return Verdict.DROP
            return ctx.conntrack.setup_nat(pkt, self.range(where), "dst", ctx)

        return act


EXTENSIONS = (Redirect,)
