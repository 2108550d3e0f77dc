"""ttl: the time to live of an IPv4 packet (kernel: xt_hl.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from iptables_emu.ext.api import Base, Gathered, Opt
from iptables_emu.ext.hops import HopCount, hop_options
from iptables_emu.options.problem import ParameterProblem


@dataclass(frozen=True, slots=True)
class Ttl(HopCount):
    """Equal, unequal, less or greater."""

    NAME: ClassVar[str] = "ttl"
    FAMILIES: ClassVar[tuple[int, ...]] = (4,)
    OPTIONS: ClassVar[Sequence[Opt]] = hop_options("ttl")

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("TTL match: You must specify one of `--ttl-eq', `--ttl-lt', `--ttl-gt")


EXTENSIONS = (Ttl,)
