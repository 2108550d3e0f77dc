"""statistic: packets at random or every nth (kernel: xt_statistic.c)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Test
from iptables_emu.options.numbers import U32
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import double, uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

WHOLE = 0x80000000  # probability 1
NTH_KEYS = ("every", "packet")


def _mode(text: str, cx: OptionContext) -> str:
    if text not in ("random", "nth"):
        raise ParameterProblem(f'Bad mode "{text}"')
    return text


def _probability(text: str, cx: OptionContext) -> int:
    chance: float = double(0, 1)(text, cx)
    return math.floor(WHOLE * chance + 0.5)


def _last_every(given: Gathered) -> int:
    """What upstream's union holds where ``--every`` less one and the probability share their bytes."""
    out = 0
    for key, g in given.items():
        if key in ("probability", "every"):
            out = g.value - (key == "every")
    return out


@dataclass(frozen=True, slots=True)
class Statistic(Match):
    """``mode`` random: ``probability`` of 0x80000000. Mode nth: of every ``every`` packets number ``packet``."""

    NAME: ClassVar[str] = "statistic"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("mode", _mode, mandatory=True, metavar="mode", help="how to choose: random or nth"),
        Opt("probability", _probability, invert=True, excludes=NTH_KEYS, metavar="p",
            help="in mode random: the chance, from 0 to 1"),
        Opt("every", uint(32, low=1), invert=True, excludes=("probability",), also=("packet",), metavar="n",
            help="in mode nth: one of every n packets"),
        Opt("packet", uint(32), excludes=("probability",), also=("every",), metavar="p",
            help="in mode nth: which of them, counted from 0"),
    )  # fmt: skip

    mode: str
    probability: int = 0
    every: int = 1
    packet: int = 0
    inverted: bool = False

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        mode = given["mode"].value if "mode" in given else "random"
        if mode == "random" and "probability" not in given:
            raise ParameterProblem("--probability must be specified when using random mode")
        if mode == "nth" and "every" not in given and "packet" not in given:
            raise ParameterProblem("--every and --packet must be specified when using nth mode")
        if "packet" in given and given["packet"].value > _last_every(given):
            raise ParameterProblem("the --packet p must be 0 <= p <= n-1")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        mode = given["mode"].value
        if mode == "random":
            return cls(mode, probability=given["probability"].value, inverted=given["probability"].inverted)
        return cls(mode, 0, given["every"].value, given["packet"].value, given["every"].inverted)

    def save(self, base: Base) -> str:
        return self._text("--")

    def listing(self, numeric: bool, base: Base) -> str:
        return " statistic" + self._text("")

    def translate(self, base: Base) -> str:
        if self.mode == "random":
            return f"meta random & {WHOLE - 1} {'>=' if self.inverted else '<'} {self.probability}"
        return f"numgen inc mod {self.every} {nft.unless(self.inverted)}{self.packet}"

    def _text(self, prefix: str) -> str:
        out = f" {prefix}mode {self.mode}{' !' if self.inverted else ''} {prefix}"
        if self.mode == "random":
            return f"{out}probability {self.probability / WHOLE:.11f}"
        return f"{out}every {self.every}" + (f" {prefix}packet {self.packet}" if self.packet or prefix else "")

    def compile(self, cx: Compile) -> Test:
        inverted = self.inverted
        if self.mode == "random":
            probability = self.probability
            return lambda pkt, ctx: (ctx.rng.getrandbits(31) < probability) is not inverted
        last = self.every - 1
        count = (last - self.packet) & U32

        def test(pkt: Packet, ctx: Context) -> bool:
            nonlocal count
            count = 0 if count == last else count + 1
            return (count == 0) is not inverted

        return test

    def why_not(self, pkt: Packet, ctx: Context, base: Base) -> tuple[str, str]:
        return self.save(base).strip(), "not this packet's turn"


EXTENSIONS = (Statistic,)
