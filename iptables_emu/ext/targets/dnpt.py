"""DNPT: translate the prefix of the destination address (kernel: ip6t_NPT.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext.npt import DESTINATION_AT, SOURCE_AT, PrefixTranslation


@dataclass(frozen=True, slots=True)
class Dnpt(PrefixTranslation):
    """Stateless: the way back needs a rule of its own."""

    NAME: ClassVar[str] = "DNPT"
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"PREROUTING", "OUTPUT"})
    ADDRESS_AT: ClassVar[int] = DESTINATION_AT
    QUOTED_AT: ClassVar[int] = SOURCE_AT


EXTENSIONS = (Dnpt,)
