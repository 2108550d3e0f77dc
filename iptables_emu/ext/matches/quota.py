"""quota: packets until a number of bytes is used up (kernel: xt_quota.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.options.types import uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Quota(Match):
    """``quota`` is the number of bytes to begin with; the kernel does not give back what is left."""

    NAME: ClassVar[str] = "quota"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("quota", uint(64), invert=True, mandatory=True, metavar="bytes", help="bytes that match"),
    )

    quota: int
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(given["quota"].value, given["quota"].inverted)

    def save(self, base: Base) -> str:
        return f"{' !' if self.inverted else ''} --quota {self.quota}"

    def listing(self, numeric: bool, base: Base) -> str:
        return f" quota: {self.quota} bytes"

    def translate(self, base: Base) -> str:
        return f"quota {'over ' if self.inverted else ''}{self.quota} bytes"

    def compile(self, cx: Compile) -> Test:
        left, inverted = self.quota, self.inverted

        def test(pkt: Packet, ctx: Context) -> bool:
            nonlocal left
            size = len(pkt.data)
            within = left >= size
            # a packet too large uses up the rest: later ones, small as they may be, do not match either
            left = left - size if within else 0
            return within is not inverted

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        return self.save(base).strip(), "bytes left" if self.inverted else "used up"


EXTENSIONS = (Quota,)
