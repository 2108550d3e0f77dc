"""hbh: the hop-by-hop options header of IPv6 (kernel: ip6t_hbh.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext.api import Base, Opt
from iptables_emu.ext.opts6 import OptionsHeader, option_rows
from iptables_emu.packet.exthdr import HOPOPTS


@dataclass(frozen=True, slots=True)
class Hbh(OptionsHeader):
    """Its length in bytes and its first options."""

    NAME: ClassVar[str] = "hbh"
    HEADER: ClassVar[int] = HOPOPTS
    FIELD: ClassVar[str] = "hbh_len"
    OPTIONS: ClassVar[Sequence[Opt]] = option_rows("hbh", "PAD0 has not got length")

    def translate(self, base: Base) -> str | None:
        return self.nft_length()


EXTENSIONS = (Hbh,)
