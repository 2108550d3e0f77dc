"""CONNSECMARK: carry a security mark between packet and connection (kernel: xt_CONNSECMARK.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Target
from iptables_emu.options.problem import ParameterProblem

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class ConnSecMark(Target):
    """The packet goes on. Only what has no mark yet is given one."""

    NAME: ClassVar[str] = "CONNSECMARK"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"mangle", "security"})
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("save", None, excludes=("restore",), help="give the packet's security mark to its connection"),
        Opt("restore", None, excludes=("save",), help="give the connection's security mark to the packet"),
    )

    restore: bool

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("CONNSECMARK target: parameter required")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls("restore" in given)

    def save(self, base: Base) -> str:
        return " --restore" if self.restore else " --save"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" CONNSECMARK {'restore' if self.restore else 'save'}"

    def compile(self, cx: Compile) -> Action:
        def act(pkt: Packet, ctx: Context) -> Flow:
            conn = pkt.ct
            if conn is None:
                return Flow.CONTINUE
            if self.restore:
                before, pkt.secmark = pkt.secmark, pkt.secmark or conn.secmark
                ctx.rewrote(pkt, "secmark", before or "none", pkt.secmark or "none")
            elif not conn.secmark:
                conn.secmark = pkt.secmark
                ctx.rewrote(pkt, "connection secmark", "none", conn.secmark or "none")
            return Flow.CONTINUE

        return act


EXTENSIONS = (ConnSecMark,)
