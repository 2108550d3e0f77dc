"""HL: change the hop limit of an IPv6 packet (kernel: xt_HL.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext.api import Opt
from iptables_emu.ext.hoplimit import HopTarget, options


@dataclass(frozen=True, slots=True)
class Hl(HopTarget):
    """0 is a possible result: such a packet is sent as it is in POSTROUTING."""

    NAME: ClassVar[str] = "HL"
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"mangle"})
    OPTIONS: ClassVar[Sequence[Opt]] = options("hl", "hop limit")


EXTENSIONS = (Hl,)
