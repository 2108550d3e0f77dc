"""connmark: the connection's mark under a mask (kernel: xt_connmark.c, revision 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.region import masked
from iptables_emu.options.types import mark_mask, show_mark_mask


@dataclass(frozen=True, slots=True)
class Connmark(Match):
    """``connection mark & mask == value``; a packet without a connection matches neither way."""

    NAME: ClassVar[str] = "connmark"
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("mark", mark_mask, invert=True, mandatory=True, metavar="value[/mask]",
            help="mark of the connection, under a mask"),
    )  # fmt: skip

    value: int
    mask: int
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        value, mask = given["mark"].value
        return cls(value, mask, given["mark"].inverted)

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --mark{show_mark_mask(self.value, self.mask)}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" connmark match {'!' if self.inverted else ''}{show_mark_mask(self.value, self.mask)}"

    def translate(self, base: Base) -> str:
        return f"ct mark {nft.masked(self.value, self.mask, self.inverted)}"

    def region(self, base: Base) -> Region:
        return Region(((masked("ctmark", self.value, self.mask, self.inverted, self.save(base).strip()),),))


EXTENSIONS = (Connmark,)
