"""TEE: send a copy of the packet to another host (kernel: xt_TEE.c, nf_dup_ipv4.c, nf_dup_ipv6.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Place, Target
from iptables_emu.model.address import show
from iptables_emu.options.names import any_name
from iptables_emu.options.types import host, string

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Tee(Target):
    """``oif`` "" lets the route to the gateway choose the interface."""

    NAME: ClassVar[str] = "TEE"
    NEEDS_SETUP: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("gateway", host, mandatory=True, metavar="IPADDR", help="Neighbour that gets the copy"),
        Opt("oif", string(size=16), metavar="NAME", help="Interface to send the copy by"),
    )

    gateway: int
    oif: str = ""

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["gateway"].value, given["oif"].value if "oif" in given else "")

    def save(self, base: Base) -> str:
        return f" --gateway {show(self.gateway, base.family)}" + (f" --oif {self.oif}" if self.oif else "")

    def listing(self, numeric: bool, base: Base) -> str:
        return f" TEE gw:{show(self.gateway, base.family)}" + (f" oif={self.oif}" if self.oif else "")

    def translate(self, base: Base) -> str:
        return f"dup to {any_name(self.gateway, base.family)}" + (f" device {self.oif}" if self.oif else "")

    def refused(self, place: Place) -> str | None:
        return None if self.gateway else "EINVAL"

    def compile(self, cx: Compile) -> Action:
        def act(pkt: Packet, ctx: Context) -> Flow:
            copy = pkt.copy()
            copy.socket, copy.uid, copy.gid = False, None, None
            copy.frag_sizes = ()  # the pieces are shared with the packet, so it is cut anew
            copy.ct, copy.ctinfo, copy.untracked, copy.sk = None, 0, True, None
            copy.related_to_untracked = copy.half_open = False
            if copy.family == 4:
                copy.data[6] |= 0x40  # DF: so that the sender hears of a smaller MTU on the copy's way
                copy.refresh_ip_checksum()
            if ctx.hook in ("PREROUTING", "INPUT"):
                copy.set_ttl(copy.ttl - 1 & 0xFF)
            ctx.path.send_copy(copy, self.gateway, self.oif)
            return Flow.CONTINUE

        return act


EXTENSIONS = (Tee,)
