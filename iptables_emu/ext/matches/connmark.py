"""connmark: the connection's mark under a mask (kernel: xt_connmark.c, revision 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext.api import Base, Opt
from iptables_emu.ext.masked_match import MarkMatch
from iptables_emu.options.types import mark_mask, show_mark_mask


@dataclass(frozen=True, slots=True)
class Connmark(MarkMatch):
    """``connection mark & mask == value``; a packet without a connection matches neither way."""

    NAME: ClassVar[str] = "connmark"
    FIELD: ClassVar[str] = "ctmark"
    NFT: ClassVar[str] = "ct mark"
    NEEDS_CONNTRACK: ClassVar[bool] = True
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("mark", mark_mask, invert=True, mandatory=True, metavar="value[/mask]",
            help="mark of the connection, under a mask"),
    )  # fmt: skip

    def listing(self, numeric: bool, base: Base) -> str:
        return f" connmark match {'!' if self.inverted else ''}{show_mark_mask(self.value, self.mask)}"


EXTENSIONS = (Connmark,)
