"""dscp: the upper six bits of the TOS or traffic class byte (kernel: xt_dscp.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.dscp_class import dscp_class
from iptables_emu.ext.region import masked
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.types import uint


@dataclass(frozen=True, slots=True)
class Dscp(Match):
    """``value`` is the codepoint, 0 to 63."""

    NAME: ClassVar[str] = "dscp"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("dscp", uint(8, 0, 63), invert=True, excludes=("dscp-class",), metavar="value",
            help="codepoint as a number"),
        Opt("dscp-class", dscp_class, invert=True, excludes=("dscp",), metavar="name",
            help="codepoint by its class: BE, EF, AFxy or CSx"),
    )  # fmt: skip

    value: int
    inverted: bool = False

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("DSCP match: Parameter --dscp is required")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        g = next(iter(given.values()))
        return cls(g.value, g.inverted)

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --dscp 0x{self.value:02x}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" DSCP match {'!' if self.inverted else ''}0x{self.value:02x}"

    def translate(self, base: Base) -> str:
        return f"{'ip' if base.family == 4 else 'ip6'} dscp {nft.unless(self.inverted)}0x{self.value:02x}"

    def region(self, base: Base) -> Region:
        return Region(((masked("tos", self.value << 2, 0xFC, self.inverted, self.save(base).strip()),),))


EXTENSIONS = (Dscp,)
