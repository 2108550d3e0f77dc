"""mh: the mobility header of Mobile IPv6 (kernel: ip6t_mh.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Region, Test
from iptables_emu.ext.region import Header, readable, within
from iptables_emu.options.numbers import strict
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.packet.exthdr import NO_NEXT

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

# long name, short name of types 0, 1, 2 ...
NAMES: Final = (
    ("binding-refresh-request", "brr"), ("home-test-init", "hoti"), ("careof-test-init", "coti"),
    ("home-test", "hot"), ("careof-test", "cot"), ("binding-update", "bu"),
    ("binding-acknowledgement", "ba"), ("binding-error", "be"),
)  # fmt: skip
ANY: Final = (0, 255)
HEADER: Final = Header(6)


def _type(text: str) -> int:
    """A number, or a name: the first that begins like it, a whole one before that."""
    wanted = text.lower()
    found: int | None = None
    for number, spellings in enumerate(NAMES):
        for name in spellings:
            if name.startswith(wanted) and (found is None or name == wanted):
                found = number
    if found is None:
        found = strict(text, 0, 255)
    if found is None:
        raise ParameterProblem(f"Invalid MH type `{text}'")
    return found


def _types(text: str, cx: OptionContext) -> tuple[int, int]:
    low, colon, high = text.partition(":")
    if not colon:
        value = _type(low)
        return value, value
    bounds = (_type(low) if low else 0, _type(high) if high else 255)
    if bounds[0] > bounds[1]:
        raise ParameterProblem("Invalid MH type range (min > max)")
    return bounds


def _show(number: int, numeric: bool) -> str:
    return str(number) if numeric or number >= len(NAMES) else NAMES[number][0]


@dataclass(frozen=True, slots=True)
class Mh(Match):
    """``types`` is inclusive."""

    NAME: ClassVar[str] = "mh"
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    PROTOCOLS: ClassVar[frozenset[int] | None] = frozenset({135})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("mh-type", _types, invert=True, metavar="type[:type]",
            help="message type by number or name: " + ", ".join(f"{name} ({short})" for name, short in NAMES)),
    )  # fmt: skip

    types: tuple[int, int] = ANY
    inverted: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        g = given.get("mh-type")
        return cls(g.value, g.inverted) if g else cls()

    def save(self, base: Base) -> str:
        if self.types == ANY and not (self.inverted and base.tells_not_all):
            return ""
        low, high = self.types
        return f"{' !' if self.inverted else ''} --mh-type {low}" + (f":{high}" if low != high else "")

    def listing(self, numeric: bool, base: Base) -> str:
        if self.types == ANY and not self.inverted:
            return " mh"
        low, high = (_show(number, numeric) for number in self.types)
        return f" mh {'!' if self.inverted else ''}{low}" + (f":{high}" if self.types[0] != self.types[1] else "")

    def translate(self, base: Base) -> str:
        if self.types == ANY and not self.inverted:
            return "exthdr mh exists"
        return f"mh type {nft.unless(self.inverted)}{nft.span(*self.types)}"

    def region(self, base: Base) -> Region:
        label = self.save(base).strip()
        return Region(((within("mh_type", (self.types,), self.inverted, label or "-m mh"),),), HEADER)

    def compile(self, cx: Compile) -> Test:
        plain = self.region(cx.base).test()

        def test(pkt: Packet, ctx: Context) -> bool:
            if not readable(HEADER, pkt):
                return False
            if pkt.data[pkt.l4] != NO_NEXT:  # nothing may follow a mobility header
                pkt.hotdrop = True
                return False
            return plain(pkt, ctx)

        return test


EXTENSIONS = (Mh,)
