"""frag: the fragment header of IPv6 (kernel: ip6t_frag.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Region, Test
from iptables_emu.ext.region import masked, within
from iptables_emu.options.numbers import U32
from iptables_emu.options.types import uint, uint_range
from iptables_emu.packet.exthdr import FRAGMENT, find_header

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet


@dataclass(frozen=True, slots=True)
class Frag(Match):
    """``ids`` is inclusive, None when not given. The kernel does not look at ``length``."""

    NAME: ClassVar[str] = "frag"
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("fragid", uint_range(32), invert=True, metavar="id[:id]", help="identification, one or a range"),
        Opt("fraglen", uint(32), invert=True, metavar="length", help="bytes of the header (the kernel ignores it)"),
        Opt("fragres", None, help="the reserved fields are zero"),
        Opt("fragfirst", None, help="only the fragment at offset 0"),
        Opt("fragmore", None, excludes=("fraglast",), help="more fragments follow"),
        Opt("fraglast", None, excludes=("fragmore",), help="no fragment follows"),
    )

    ids: tuple[int, int] | None = None
    not_ids: bool = False
    length: int | None = None
    not_length: bool = False
    reserved: bool = False
    first: bool = False
    more: bool = False
    last: bool = False

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        ids, length = given.get("fragid"), given.get("fraglen")
        return cls(
            (ids.value[0], ids.value[-1]) if ids else None, bool(ids and ids.inverted),
            length.value if length else None, bool(length and length.inverted),
            *(f"frag{what}" in given for what in ("res", "first", "more", "last")),
        )  # fmt: skip

    def _says_ids(self) -> bool:
        return self.ids is not None and (self.ids != (0, U32) or self.not_ids)

    def _ids_option(self) -> str:
        low, high = self.ids or (0, U32)
        return f"--fragid {low}" + (f":{high}" if low != high else "")

    def _flags(self) -> tuple[tuple[bool, str, str], ...]:
        return (
            (self.reserved, "--fragres", "reserved"), (self.first, "--fragfirst", "first"),
            (self.more, "--fragmore", "more"), (self.last, "--fraglast", "last"),
        )  # fmt: skip

    def save(self, base: Base) -> str:
        says = self._says_ids() and (self.ids != (0, U32) or base.tells_not_all)
        out = f"{' !' if self.not_ids else ''} {self._ids_option()}" if says else ""
        if self.length is not None:
            out += f"{' !' if self.not_length else ''} --fraglen {self.length}"
        return out + "".join(f" {option}" for is_set, option, _ in self._flags() if is_set)

    def listing(self, numeric: bool, base: Base) -> str:
        out = " frag "
        if self._says_ids():
            low, high = self.ids or (0, U32)
            sign = "!" if self.not_ids else ""
            out += f"id:{sign}{low}" if low == high else f"ids:{sign}{low}:{high}"
        if self.length is not None:
            out += f" length:{'!' if self.not_length else ''}{self.length}"
        return out + "".join(f" {word}" for is_set, _, word in self._flags() if is_set)

    def translate(self, base: Base) -> str:
        words = [f"frag id {nft.unless(self.not_ids)}{nft.span(*self.ids)}"] if self.ids and self._says_ids() else []
        rows = (self.reserved, "reserved 1"), (self.first, "frag-off 0"), (self.more, "more-fragments 1"), (
            self.last, "more-fragments 0")  # fmt: skip
        words += [f"frag {text}" for is_set, text in rows if is_set]
        return " ".join(words) or "exthdr frag exists"

    def region(self, base: Base) -> Region:
        label = f"{'! ' if self.not_ids else ''}{self._ids_option()}" if self._says_ids() else "-m frag"
        clauses = [within("frag6_id", (self.ids or (0, U32),), self.not_ids, label)]
        if self.reserved:
            clauses += [masked("frag6_reserved", 0, 0xFF, label="--fragres"),
                        masked("frag6_word", 0, 6, label="--fragres")]  # fmt: skip
        if self.first:
            clauses.append(masked("frag6_word", 0, 0xFFF8, label="--fragfirst"))
        if self.more:
            clauses.append(masked("frag6_word", 1, 1, label="--fragmore"))
        if self.last:
            clauses.append(masked("frag6_word", 0, 1, label="--fraglast"))
        return Region((tuple(clauses),))

    def compile(self, cx: Compile) -> Test:
        plain = self.region(cx.base).test()

        def test(pkt: Packet, ctx: Context) -> bool:
            at = find_header(pkt, FRAGMENT, quiet=False)
            if at is not None and at + 8 > len(pkt.data):
                pkt.hotdrop = True
            return plain(pkt, ctx)

        return test


EXTENSIONS = (Frag,)
