"""CHECKSUM: fill in a checksum that was left to the hardware (kernel: xt_CHECKSUM.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Checksum(Target):
    """Seen only where an ICMP error quotes a packet of this host: else checksums are filled in on leaving anyway."""

    NAME: ClassVar[str] = "CHECKSUM"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"mangle"})
    OPTIONS: ClassVar[Sequence[Opt]] = (Opt("checksum-fill", mandatory=True, help="Fill in the packet's checksum"),)

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls()

    def save(self, base: Base) -> str:
        return " --checksum-fill"

    def listing(self, numeric: bool, base: Base) -> str:
        return " CHECKSUM fill"

    def compile(self, cx: Compile) -> Action:
        def act(pkt: Packet, ctx: Context) -> Flow:
            pkt.pending_checksum = False
            return Flow.CONTINUE

        return act


EXTENSIONS = (Checksum,)
