"""TTL: change the TTL of an IPv4 packet (kernel: xt_HL.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext.api import Opt
from iptables_emu.ext.hoplimit import HopTarget, options


@dataclass(frozen=True, slots=True)
class Ttl(HopTarget):
    """0 is a possible result: such a packet is sent as it is in POSTROUTING."""

    NAME: ClassVar[str] = "TTL"
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"mangle"})
    OPTIONS: ClassVar[Sequence[Opt]] = options("ttl", "TTL")


EXTENSIONS = (Ttl,)
