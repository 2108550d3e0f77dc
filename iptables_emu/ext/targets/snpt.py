"""SNPT: translate the prefix of the source address (kernel: ip6t_NPT.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext.npt import DESTINATION_AT, SOURCE_AT, PrefixTranslation


@dataclass(frozen=True, slots=True)
class Snpt(PrefixTranslation):
    """Stateless: the way back needs a rule of its own."""

    NAME: ClassVar[str] = "SNPT"
    HOOKS: ClassVar[frozenset[str] | None] = frozenset({"INPUT", "POSTROUTING"})
    ADDRESS_AT: ClassVar[int] = SOURCE_AT
    QUOTED_AT: ClassVar[int] = DESTINATION_AT


EXTENSIONS = (Snpt,)
