"""hl: the hop limit of an IPv6 packet (kernel: xt_hl.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext.api import Base, Gathered, Opt
from iptables_emu.ext.hops import HopCount, hop_options
from iptables_emu.options.problem import ParameterProblem


@dataclass(frozen=True, slots=True)
class Hl(HopCount):
    """Equal, unequal, less or greater."""

    NAME: ClassVar[str] = "hl"
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    OPTIONS: ClassVar[Sequence[Opt]] = hop_options("hl")

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("HL match: You must specify one of `--hl-eq', `--hl-lt', `--hl-gt'")


EXTENSIONS = (Hl,)
