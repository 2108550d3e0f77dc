"""DNAT: give new connections another destination (kernel: xt_nat.c, revision 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Action, Base, Compile, Gathered, Opt, Verdict
from iptables_emu.ext.nat import NatTarget, to

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Dnat(NatTarget):
    """A port range may be shifted: ``1000-2000/3000`` maps 3000 to 1000, 3001 to 1001 ..."""

    NAME: ClassVar[str] = "DNAT"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"nat"})
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"PREROUTING", "OUTPUT"})
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("to-destination", to, mandatory=True, metavar="[addr[-addr]][:port[-port[/base]]]",
            help="Destination to map to", ident=0),
        Opt("random", help="Choose the port at random", ident=3),
        Opt("persistent", help="Give a client the same address for every connection", ident=5),
    )  # fmt: skip

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        addresses, span = given["to-destination"].value
        return cls.gather(given, addresses, span, keeps_base=True)

    def save(self, base: Base) -> str:
        return self.show("--to-destination ", "--", base.family)

    def listing(self, numeric: bool, base: Base) -> str:
        return self.show("to:", "", base.family)

    def compile(self, cx: Compile) -> Action:
        wanted = self.range()

        def act(pkt: Packet, ctx: Context) -> Verdict:
            return ctx.conntrack.setup_nat(pkt, wanted, "dst", ctx)

        return act


EXTENSIONS = (Dnat,)
