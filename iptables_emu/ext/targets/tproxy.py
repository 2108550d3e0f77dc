"""TPROXY: hand a packet to a local proxy's socket without changing it (kernel: xt_TPROXY.c, revision 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Gathered, Opt, Outcome, Target, Verdict
from iptables_emu.host.sockets import Socket
from iptables_emu.model.address import show
from iptables_emu.options.numbers import U32
from iptables_emu.options.types import host, mark_mask, port
from iptables_emu.packet.packet import TCP

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

ASSUMED = {True: "its socket is assumed to be there", False: "no socket is assumed to take it"}
MISSING = "give the host's [[sockets]], with proto, port and transparent = true"


@dataclass(frozen=True, slots=True)
class TProxy(Target):
    """Port 0 is the packet's own. The packet goes to the socket connected by its ends, or else to the listener at the
    proxy's address and port; without such a socket, or with one that is not transparent, it is dropped. Which sockets
    there are is unknown where the host does not say it."""

    NAME: ClassVar[str] = "TPROXY"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"mangle"})
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"PREROUTING"})
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({6, 17})
    NEEDS_DEFRAG: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("on-port", port, mandatory=True, metavar="port", help="the proxy's port; 0 is the packet's own"),
        Opt("on-ip", host, metavar="address", help="the proxy's address; else one of the incoming interface"),
        Opt("tproxy-mark", mark_mask, metavar="value[/mask]", help="mark set on the packets that are handed over"),
    )

    port: int
    address: int = 0
    value: int = 0
    mask: int = 0

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        address, mark = given.get("on-ip"), given.get("tproxy-mark")
        return cls(given["on-port"].value, address.value if address else 0, *(mark.value if mark else (0, 0)))

    def _mark(self) -> str:
        return f"0x{self.value:x}/0x{self.mask:x}"

    def save(self, base: Base) -> str:
        return f" --on-port {self.port} --on-ip {show(self.address, base.family)} --tproxy-mark {self._mark()}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" TPROXY redirect {show(self.address, base.family)}:{self.port} mark {self._mark()}"

    def translate(self, base: Base) -> str:
        out = "tproxy to "
        if self.address:
            out += f"[{show(self.address, 6)}]" if base.family == 6 else show(self.address, 4)
        out += f":{self.port}" if self.port or not self.address else ""
        if self.mask == U32:
            out += f" meta mark set 0x{self.value:x}"
        elif self.mask or self.value:
            out += f" meta mark set meta mark & 0x{~self.mask & U32:x} xor 0x{self.value:x}"
        return f"{out} accept"  # unlike the target the statement does not end the rule

    def compile(self, cx: Compile) -> Action:
        def act(pkt: Packet, ctx: Context) -> Outcome:
            head = bytes(pkt.data[pkt.l4 : pkt.l4 + 8])
            if len(head) < 8:
                return Verdict.DROP
            sockets = ctx.host.sockets
            found = self._socket(pkt, ctx, (int.from_bytes(head[:2], "big"), int.from_bytes(head[2:4], "big")))
            if found is None and not sockets.known:
                assumed = ctx.assume(ctx.rule)
                ctx.note(pkt, f"-j TPROXY: {MISSING if assumed is None else ASSUMED[assumed]}")
                if assumed is None:
                    return Verdict.UNKNOWN
                found = Socket(pkt.proto, self.port, pkt.family, transparent=True) if assumed else None
            if found is None or not found.transparent:
                ctx.note(pkt, f"TPROXY: {'no socket takes it' if found is None else 'its socket is not transparent'}")
                return Verdict.DROP
            ctx.set_mark(pkt, pkt.mark & ~self.mask & U32 ^ self.value)
            pkt.sk = found
            return Verdict.ACCEPT

        return act

    def _socket(self, pkt: Packet, ctx: Context, ports: tuple[int, int]) -> Socket | None:
        sockets, proto, family = ctx.host.sockets, pkt.proto, pkt.family
        found = sockets.connected(proto, family, (pkt.src, ports[0]), (pkt.dst, ports[1]))
        if found is not None and (proto == TCP or found.address is not None):
            return found
        address = self.address or ctx.host.primary_address(pkt.iif, family) or pkt.dst
        return sockets.listening(proto, family, address, self.port or ports[1])


EXTENSIONS = (TProxy,)
