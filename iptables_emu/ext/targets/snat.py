"""SNAT: give new connections another source (kernel: xt_nat.c)."""

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
class Snat(NatTarget):
    """Its revision has no room for the base of a shifted port range, which so becomes 0."""

    NAME: ClassVar[str] = "SNAT"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"nat"})
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"POSTROUTING", "INPUT"})
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("to-source", to, mandatory=True, metavar="[addr[-addr]][:port[-port]]", help="Source to map to", ident=1),
        Opt("random", help="Choose the port at random", ident=3),
        Opt("random-fully", help="Choose the port fully at random", ident=4),
        Opt("persistent", help="Give a client the same address for every connection", ident=5),
    )

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        addresses, span = given["to-source"].value
        return cls.gather(given, addresses, span)

    def save(self, base: Base) -> str:
        return self.show("--to-source ", "--", base.family)

    def listing(self, numeric: bool, base: Base) -> str:
        return self.show("to:", "", base.family)

    def compile(self, cx: Compile) -> Action:
        wanted = self.range()

        def act(pkt: Packet, ctx: Context) -> Verdict:
            return ctx.conntrack.setup_nat(pkt, wanted, "src", ctx)

        return act


EXTENSIONS = (Snat,)
