"""realm: the realm of the packet's route (kernel: xt_realm.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Opt, Test
from iptables_emu.ext.masked_match import MaskedMatch
from iptables_emu.ext.valmask import REALMS, show_val_mask, val_mask

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Realm(MaskedMatch):
    """``realms & mask == value``; the realm of the source's route is the upper half, the destination's the lower."""

    NAME: ClassVar[str] = "realm"
    OPTION: ClassVar[str] = "realm"
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"INPUT", "FORWARD", "OUTPUT", "POSTROUTING"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("realm", val_mask(REALMS), invert=True, mandatory=True, metavar="value[/mask]", help="realm of the route"),
    )

    def shown(self) -> str:
        return show_val_mask(self.value, self.mask, REALMS)

    def listing(self, numeric: bool, base: Base) -> str:
        shown = show_val_mask(self.value, self.mask, None if numeric else REALMS)
        return f"{' !' if self.inverted else ''} realm{shown}"

    def translate(self, base: Base) -> str:
        name = next((name for name, number in REALMS.items() if number == self.value), "")
        return f"rtclassid {nft.masked(self.value, self.mask, self.inverted, name)}"

    def compile(self, cx: Compile) -> Test:
        return lambda pkt, ctx: (pkt.realm & self.mask == self.value) is not self.inverted

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str] | None:
        return self.save(base).strip(), f"realm 0x{pkt.realm:x}" if pkt.realm else "the route has no realm"


EXTENSIONS = (Realm,)
