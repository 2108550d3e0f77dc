"""NOTRACK: leave the packet to no connection (kernel: xt_CT.c, where it is CT under another name)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Target

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Notrack(Target):
    """Saved as NOTRACK, but the target column of ``-L`` says CT, whose alias it is."""

    NAME: ClassVar[str] = "NOTRACK"
    LISTED_AS: ClassVar[str] = "CT"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"raw"})

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls()

    def listing(self, numeric: bool, base: Base) -> str:
        return " NOTRACK"

    def translate(self, base: Base) -> str:
        return "notrack"

    def compile(self, cx: Compile) -> Action:
        return untrack


def untrack(pkt: Packet, ctx: Context) -> Flow:
    """Mark the packet as untracked, unless conntrack has seen it already (a packet back over lo)."""
    if pkt.ct is None and not pkt.related_to_untracked:
        pkt.untracked = True
    return Flow.CONTINUE


EXTENSIONS = (Notrack,)
