"""cpu: the processor that handles the packet (kernel: xt_cpu.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.options.types import uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Cpu(Match):
    """Which processor that is depends on the machine and its load: unknown where the host does not say it."""

    NAME: ClassVar[str] = "cpu"
    MISSING: ClassVar[str] = ": say which processor handles the packets, as cpu = 0 of the host"
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

    def compile(self, cx: Compile) -> Test:
        def test(pkt: Packet, ctx: Context) -> bool | None:
            return None if ctx.host.cpu is None else (ctx.host.cpu == self.number) is not self.inverted

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        return self.save(base).strip(), f"cpu {ctx.host.cpu}"


EXTENSIONS = (Cpu,)
