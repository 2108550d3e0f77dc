"""DSCP: set the DSCP bits of the TOS byte or traffic class (kernel: xt_DSCP.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.ext.dscp_class import dscp_class
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Dscp(Target):
    """``dscp`` is 0 to 63; the two ECN bits stay."""

    NAME: ClassVar[str] = "DSCP"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"mangle"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("set-dscp", uint(8, 0, 63), excludes=("set-dscp-class",), metavar="value", help="Value of the DSCP field"),
        Opt("set-dscp-class", dscp_class, excludes=("set-dscp",), metavar="class",
            help="Its value as a DiffServ class: BE, EF, CSx or AFxx"),
    )  # fmt: skip

    dscp: int

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("DSCP target: Parameter --set-dscp is required")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(next(iter(given.values())).value)

    def save(self, base: Base) -> str:
        return f" --set-dscp 0x{self.dscp:02x}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" DSCP set 0x{self.dscp:02x}"

    def translate(self, base: Base) -> str:
        return f"{'ip' if base.family == 4 else 'ip6'} dscp set 0x{self.dscp:02x}"

    def compile(self, cx: Compile) -> Action:
        bits = self.dscp << 2

        def act(pkt: Packet, ctx: Context) -> Flow:
            ctx.set_tos(pkt, bits | pkt.tos & 3)
            return Flow.CONTINUE

        return act


EXTENSIONS = (Dscp,)
