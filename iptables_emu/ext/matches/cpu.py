"""cpu: the processor that handles the packet (kernel: xt_cpu.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Opt
from iptables_emu.options.types import uint


@dataclass(frozen=True, slots=True)
class Cpu(Match):
    """Which processor that is depends on the machine and its load: unknown here."""

    NAME: ClassVar[str] = "cpu"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("cpu", uint(32), invert=True, mandatory=True, metavar="number", help="number of the processor"),
    )

    number: int
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["cpu"].value, given["cpu"].inverted)

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --cpu {self.number}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" cpu {'! ' if self.inverted else ''}{self.number}"

    def translate(self, base: Base) -> str:
        return f"cpu {nft.unless(self.inverted)}{self.number}"


EXTENSIONS = (Cpu,)
