"""TPROXY: hand a packet to a local proxy's socket without changing it (kernel: xt_TPROXY.c, revision 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Gathered, Opt, Outcome, Target, Verdict
from iptables_emu.model.address import show
from iptables_emu.options.numbers import U32
from iptables_emu.options.types import host, mark_mask, port

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class TProxy(Target):
    """Port 0 and address 0 are the packet's own. Whether a transparent socket waits is not known here, so a packet
    with a readable header is unknown."""

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
            return Verdict.DROP if len(pkt.data) - pkt.l4 < 8 else Verdict.UNKNOWN

        return act


EXTENSIONS = (TProxy,)
