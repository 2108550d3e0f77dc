"""rateest: rates measured by the RATEEST target (kernel: xt_rateest.c)."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Place, Test
from iptables_emu.ext.cnumbers import strtod, unsigned
from iptables_emu.ext.rate_estimator import KIND
from iptables_emu.options.numbers import U32, strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Converter, OptionContext
from iptables_emu.options.types import string

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

Rates = tuple[int, int]  # bytes and packets a second
COMPARE = {"lt": operator.lt, "gt": operator.gt, "eq": operator.eq}
# bits a second in one of each unit, by its name in small letters
UNITS = {
    **{f"{prefix}{unit}": scale * factor
       for unit, factor in (("bit", 1), ("bps", 8))
       for prefix, scale in (("", 1), *((p + i, base**n) for n, p in enumerate("kmgt", 1)
                                        for i, base in (("", 1000), ("i", 1024))))},
}  # fmt: skip


def _rate(text: str, cx: OptionContext) -> int:
    found = strtod(text)
    scale = 1 if found and not found[1] else UNITS.get(found[1].lower()) if found else None
    if found is None or scale is None:
        raise ParameterProblem(f"rateest: could not parse rate `{text}'")
    return unsigned(found[0] * scale / 8)


def _packets(text: str, cx: OptionContext) -> int:
    value = strict(text, 0, U32)
    if value is None:
        raise ParameterProblem(f"rateest: could not parse pps `{text}'")
    return value


def _optional(read: Converter) -> Converter:
    """The next word, if it is none that begins with - or !; 0 without one."""

    def convert(text: str, cx: OptionContext) -> int:
        word = text or cx.words.peek()
        if word is None or word[:1] in ("-", "!"):
            return 0
        value: int = read(word, cx)
        if not text:
            cx.words.take()
        return value

    return convert


def _compared(option: str, read: Converter, ident: int, key: str = "") -> Opt:
    key = key or option
    unit = option[8:11]
    return Opt(option, _optional(read), key, bare=True, once=f"rateest: can't specify --{key} twice", ident=ident,
               no_invert=f"rateest: rateest-{unit} can't be inverted", metavar=f"[{unit}]",
               help=f"the {unit} of the {'first' if key[-1] == '1' else 'second'} side")  # fmt: skip


def _mode(mode: str, ident: int, meaning: str) -> Opt:
    return Opt(f"rateest-{mode}", None, invert=True, once="rateest: can't specify lt/gt/eq twice", ident=ident,
               help=f"the first side is {meaning} the second")  # fmt: skip


def _named(option: str, key: str, ident: int) -> Opt:
    return Opt(option, string(size=16), key, once=f"rateest: can't specify --{key} twice", ident=ident, metavar="name",
               no_invert="rateest: rateest can't be inverted", help="name of an estimator")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rateest(Match):
    """``bps`` and ``pps`` are the numbers of both sides, None when not compared."""

    NAME: ClassVar[str] = "rateest"
    MISSING: ClassVar[str] = ": the estimator's timer is due about now, it may or may not have run"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        _named("rateest1", "rateest1", 0),
        _named("rateest", "rateest1", 0),
        _named("rateest2", "rateest2", 1),
        _compared("rateest-bps1", _rate, 2),
        _compared("rateest-pps1", _packets, 3),
        _compared("rateest-bps2", _rate, 4),
        _compared("rateest-pps2", _packets, 5),
        _compared("rateest-bps", _rate, 4, "rateest-bps2"),
        _compared("rateest-pps", _packets, 5, "rateest-pps2"),
        Opt("rateest-delta", None, once="rateest: can't specify --rateest-delta twice", ident=6,
            no_invert="rateest: rateest-delta can't be inverted",
            help="compare how far below the numbers the rates are"),
        _mode("lt", 7, "less than"),
        _mode("gt", 8, "more than"),
        _mode("eq", 9, "equal to"),
    )  # fmt: skip

    first: str
    second: str | None
    delta: bool
    mode: str
    inverted: bool
    bps: tuple[int, int] | None
    pps: tuple[int, int] | None

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        modes = [key[8:] for key in given if key in ("rateest-lt", "rateest-gt", "rateest-eq")]
        rates = []
        for unit in ("bps", "pps"):
            sides = [given.get(f"rateest-{unit}{side}") for side in (1, 2)]
            low, high = (side.value if side else 0 for side in sides)
            rates.append((low, high) if any(sides) else None)
        return cls(
            given["rateest1"].value if "rateest1" in given else "",
            given["rateest2"].value if "rateest2" in given else None,
            "rateest-delta" in given, modes[-1] if modes else "",
            any(given[f"rateest-{mode}"].inverted for mode in modes), rates[0], rates[1],
        )  # fmt: skip

    def _show_mode(self, prefix: str) -> str:
        return f"{' !' if self.inverted else ''} {prefix}{self.mode}"

    def _save_rates(self, unit: str, sides: tuple[int, int] | None) -> str:
        if sides is None:
            return ""
        low, high = (_show_rate(side, unit == "pps") for side in sides)
        mode = self._show_mode("--rateest-")
        if self.delta:
            return f" --rateest-{unit}1{low}{mode} --rateest-{unit}2{high}"
        return f"{mode} --rateest-{unit}" + (high if self.second is None else "")

    def save(self, base: Base) -> str:
        rates = self._save_rates("bps", self.bps) + self._save_rates("pps", self.pps)
        out = " --rateest-delta" if self.delta else ""
        if self.second is None:
            return f"{out} --rateest {self.first}{rates}"
        return f"{out} --rateest1 {self.first}{rates} --rateest2 {self.second}"

    def listing(self, numeric: bool, base: Base) -> str:
        out = f" rateest match {self.first}" + (" delta" if self.delta else "")
        absolute, tail = self.second is None, ""
        if self.bps is not None:
            low, high = (_show_rate(side, numeric) for side in self.bps)
            out += " bps" + (low if self.delta else "") + (high + self._show_mode("") if absolute else "")
            tail += " bps" + (high if self.delta else "")
        if self.pps is not None:
            low, high = (f" {side}" for side in self.pps)
            out += " pps" + (low if self.delta else "") + (self._show_mode("") + high if absolute else "")
            tail += " pps" + (high if self.delta else "")
        return out if absolute else f"{out}{self._show_mode('')} {self.second}{tail}"

    def compile(self, cx: Compile) -> Test:
        def test(pkt: Packet, ctx: Context) -> bool | None:
            sides = [cx.shared[KIND, name].rates(ctx.now) for name in (self.first, self.second) if name is not None]
            answers = {self._holds(*found) for found in itertools.product(*sides)}
            return answers.pop() if len(answers) == 1 else None

        return test

    def _holds(self, first: Rates, second: Rates | None = None) -> bool:
        """``second`` None: the second side is the number that is given."""
        same = True
        for at, numbers in enumerate((self.bps, self.pps)):
            if numbers is None:
                continue
            one = _below(numbers[0], first[at]) if self.delta else first[at]
            if second is None:
                other = numbers[1]
            else:
                other = _below(numbers[1], second[at]) if self.delta else second[at]
            same = same and COMPARE[self.mode](one, other)
        return same is not self.inverted

    def refused(self, place: Place) -> str | None:
        if not self.mode or (self.bps is None and self.pps is None):
            return "EINVAL"
        known = place.estimators
        return None if known is None or {self.first, self.second} - {None} <= known.keys() else "ENOENT"


def _below(number: int, rate: int) -> int:
    return max(0, number - rate)


def _show_rate(rate: int, numeric: bool) -> str:
    if numeric:
        return f" {rate}"
    bits = rate * 8
    if bits >= 1_000_000_000:
        return f" {bits / 1e6:.0f}Mbit"
    return f" {bits / 1000:.0f}Kbit" if bits >= 1_000_000 else f" {bits}bit"


EXTENSIONS = (Rateest,)
