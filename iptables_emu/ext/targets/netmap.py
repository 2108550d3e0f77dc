"""NETMAP: map a network onto another one, host by host (kernel: xt_NETMAP.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.conntrack.nat_range import NatRange
from iptables_emu.ext.api import Action, Base, Compile, Gathered, Opt, Target, Verdict
from iptables_emu.model.address import FULL, show, show_mask
from iptables_emu.options.types import host_mask

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Netmap(Target):
    """The bits of the mask come from ``network``, the others stay."""

    NAME: ClassVar[str] = "NETMAP"
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"nat"})
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"PREROUTING", "POSTROUTING", "OUTPUT", "INPUT"})
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("to", host_mask, mandatory=True, metavar="address[/mask]", help="Network to map to"),
    )

    network: int
    mask: int

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        value, mask = given["to"].value
        return cls(value & mask, mask)

    def _text(self, base: Base) -> str:
        return f"{show(self.network, base.family)}/{show_mask(self.mask, base.family)}"

    def save(self, base: Base) -> str:
        return f" --to {self._text(base)}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" to:{self._text(base)}"

    def compile(self, cx: Compile) -> Action:
        keep = self.mask ^ FULL[cx.family]

        def act(pkt: Packet, ctx: Context) -> Verdict:
            destination = ctx.hook in ("PREROUTING", "OUTPUT")
            where = (pkt.dst if destination else pkt.src) & keep | self.network
            return ctx.conntrack.setup_nat(pkt, NatRange(where, where), "dst" if destination else "src", ctx)

        return act


EXTENSIONS = (Netmap,)
