"""What ttl and hl share: a comparison with the header's hop count (kernel: xt_hl.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.region import Clause, within
from iptables_emu.options.types import uint

WORDS = {"eq": "", "ne": "!= ", "lt": "lt ", "gt": "gt "}  # of nft
SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "gt": ">"}


def hop_options(name: str) -> tuple[Opt, ...]:
    """``--ttl-lt``, ``--ttl-gt``, ``--ttl-eq`` and its old spelling ``--ttl``; at most one of them."""
    lt, gt, eq = f"{name}-lt", f"{name}-gt", f"{name}-eq"
    return (
        Opt(lt, uint(8), excludes=(gt, eq), ident=1, metavar="value", help="less than this"),
        Opt(gt, uint(8), excludes=(lt, eq), ident=2, metavar="value", help="greater than this"),
        Opt(eq, uint(8), excludes=(lt, gt), ident=0, invert=True, metavar="value", help="exactly this"),
        Opt(name, uint(8), eq, excludes=(lt, gt), ident=0, invert=True),
    )


@dataclass(frozen=True, slots=True)
class HopCount(Match):
    """``mode`` is eq, ne, lt or gt."""

    mode: str
    value: int

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        key, g = next(iter(given.items()))
        return cls("ne" if g.inverted else key[-2:], g.value)

    def save(self, base: Base) -> str:
        sign, mode = (" !", "eq") if self.mode == "ne" else ("", self.mode)
        return f"{sign} --{self.NAME}-{mode} {self.value}"

    def listing(self, numeric: bool, base: Base) -> str:
        word = self.NAME.upper()
        return f" {word} match {word} {SIGNS[self.mode]} {self.value}"

    def translate(self, base: Base) -> str:
        word = "ip ttl" if self.NAME == "ttl" else "ip6 hoplimit"
        return f"{word} {WORDS[self.mode]}{self.value}"

    def region(self, base: Base) -> Region:
        ranges = {"lt": (0, self.value - 1), "gt": (self.value + 1, 255)}.get(self.mode, (self.value, self.value))
        clause: Clause = within("ttl", (ranges,), self.mode == "ne", self.save(base).strip())
        return Region(((clause,),))
