"""TRACE: have the kernel trace the packet's way (kernel: xt_TRACE.c; iptables-nft: meta nftrace)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Place, Target

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Trace(Target):
    """Without effect on the packet; everything is traced here anyway."""

    NAME: ClassVar[str] = "TRACE"

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls()

    def listing(self, numeric: bool, base: Base) -> str:
        return ""

    def translate(self, base: Base) -> str:
        return "nftrace set 1"

    def refused(self, place: Place) -> str | None:
        """Only ip_tables limits it to the table raw."""
        return "EINVAL" if place.personality == "legacy" and place.table != "raw" else None

    def compile(self, cx: Compile) -> Action:
        def act(pkt: Packet, ctx: Context) -> Flow:
            return Flow.CONTINUE

        return act


EXTENSIONS = (Trace,)
