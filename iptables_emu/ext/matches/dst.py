"""dst: the destination options header of IPv6 (kernel: ip6t_hbh.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext.api import Opt
from iptables_emu.ext.opts6 import OptionsHeader, option_rows
from iptables_emu.packet.exthdr import DSTOPTS


@dataclass(frozen=True, slots=True)
class Dst(OptionsHeader):
    """Its length in bytes and its first options."""

    NAME: ClassVar[str] = "dst"
    HEADER: ClassVar[int] = DSTOPTS
    FIELD: ClassVar[str] = "dst_len"
    OPTIONS: ClassVar[Sequence[Opt]] = option_rows("dst", "PAD0 hasn't got length")


EXTENSIONS = (Dst,)
