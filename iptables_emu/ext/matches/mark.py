"""mark: the packet's mark under a mask (kernel: xt_mark.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext.api import Base, Opt
from iptables_emu.ext.masked_match import MarkMatch
from iptables_emu.options.types import mark_mask, show_mark_mask


@dataclass(frozen=True, slots=True)
class Mark(MarkMatch):
    """``packet mark & mask == value``, as 32-bit numbers."""

    NAME: ClassVar[str] = "mark"
    FIELD: ClassVar[str] = "mark"
    NFT: ClassVar[str] = "mark"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("mark", mark_mask, invert=True, mandatory=True, metavar="value[/mask]",
            help="the mark, under the mask, is the value"),
    )  # fmt: skip

    def listing(self, numeric: bool, base: Base) -> str:
        return f" mark match{' !' if self.inverted else ''}{show_mark_mask(self.value, self.mask)}"


EXTENSIONS = (Mark,)
