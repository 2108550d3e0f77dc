"""iprange: source or destination address in a range (kernel: xt_iprange.c, revision 1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.region import Clause, within
from iptables_emu.model.address import dotted, parse_plain, show
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

AddressRange = tuple[int, int]


def _range(text: str, cx: OptionContext) -> AddressRange:
    low, dash, high = text.partition("-")
    bounds = []
    for part in (low, high if dash else low):
        value = dotted(part) if cx.base.family == 4 else parse_plain(part, 6)
        if value is None:
            raise ParameterProblem(f'iprange: Bad value for "--{cx.name}" option: "{part}"')
        bounds.append(value)
    if bounds[0] > bounds[1]:
        cx.warnings.append(f"xt_iprange: range {low}-{high} is reversed and will never match\n")
    return bounds[0], bounds[1]


@dataclass(frozen=True, slots=True)
class Iprange(Match):
    """Inclusive ranges of addresses; None asks nothing."""

    NAME: ClassVar[str] = "iprange"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("src-range", _range, invert=True, metavar="ip[-ip]", help="source address in this range"),
        Opt("dst-range", _range, invert=True, metavar="ip[-ip]", help="destination address in this range"),
    )

    src: AddressRange | None = None
    not_src: bool = False
    dst: AddressRange | None = None
    not_dst: bool = False

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        if not given:
            raise ParameterProblem("iprange match: You must specify `--src-range' or `--dst-range'")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        src, dst = given.get("src-range"), given.get("dst-range")
        return cls(src.value if src else None, bool(src and src.inverted),
                   dst.value if dst else None, bool(dst and dst.inverted))  # fmt: skip

    def _sides(self) -> Iterator[tuple[str, str, AddressRange, bool]]:
        if self.src is not None:
            yield "src", "source", self.src, self.not_src
        if self.dst is not None:
            yield "dst", "destination", self.dst, self.not_dst

    def save(self, base: Base) -> str:
        return "".join(
            f"{' !' if inverted else ''} --{side}-range {_show(bounds, base.family)}"
            for side, _, bounds, inverted in self._sides()
        )

    def listing(self, numeric: bool, base: Base) -> str:
        return "".join(
            f" {word} IP range{' !' if inverted else ''} {_show(bounds, base.family)}"
            for _, word, bounds, inverted in self._sides()
        )

    def translate(self, base: Base) -> str:
        ip = "ip" if base.family == 4 else "ip6"
        return " ".join(
            f"{ip} {side[0]}addr {nft.unless(inverted)}{show(bounds[0], base.family)}-{show(bounds[1], base.family)}"
            for side, _, bounds, inverted in self._sides()
        )

    def region(self, base: Base) -> Region:
        return Region((tuple(self._clauses(base)),))

    def _clauses(self, base: Base) -> Iterator[Clause]:
        for side, _, bounds, inverted in self._sides():
            label = f"{'! ' if inverted else ''}--{side}-range {_show(bounds, base.family)}"
            yield within(side, (bounds,), inverted, label)


def _show(bounds: AddressRange, family: int) -> str:
    return "-".join(show(value, family) for value in bounds)


EXTENSIONS = (Iprange,)
