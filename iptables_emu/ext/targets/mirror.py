"""MIRROR: send the packet back to where it came from (kernel: ipt_MIRROR.c, until Linux 2.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Gathered, Target, Verdict

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

TIME_EXCEEDED = 11


@dataclass(frozen=True, slots=True)
class Mirror(Target):
    """The packet passes no further chain, nor conntrack; outside FORWARD it costs a hop, against loops."""

    NAME: ClassVar[str] = "MIRROR"
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"PREROUTING", "INPUT", "FORWARD"})

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls()

    def listing(self, numeric: bool, base: Base) -> str:
        return ""

    def compile(self, cx: Compile) -> Action:
        def act(pkt: Packet, ctx: Context) -> Verdict:
            ctx.note(pkt, "MIRROR: removed from Linux in 2.5; shown as it worked before")
            if ctx.hook != "FORWARD":
                if pkt.ttl <= 1:
                    ctx.path.error(pkt, TIME_EXCEEDED, 0)
                    return Verdict.DROP
                pkt.set_ttl(pkt.ttl - 1)
                ctx.rewrote(pkt, "ttl", pkt.ttl + 1, pkt.ttl)
            source, destination = pkt.src, pkt.dst
            pkt.set_src(destination)
            pkt.set_dst(source)
            ctx.rewrote(pkt, "source", ctx.address_text(pkt, source), ctx.address_text(pkt, destination))
            ctx.rewrote(pkt, "destination", ctx.address_text(pkt, destination), ctx.address_text(pkt, source))
            ctx.path.bounce(pkt)
            return Verdict.STOLEN

        return act


EXTENSIONS = (Mirror,)
