"""srh: the segment routing header of IPv6 (kernel: ip6t_srh.c, revision 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from iptables_emu.ext.api import Base, Gathered, Match, Opt, Region
from iptables_emu.ext.region import Clause, masked, within
from iptables_emu.model.address import mask_bits, show
from iptables_emu.options.types import host_mask, uint

# the three tests of one header field keep their value in one place: the last one given counts
SHARED: Final = ("hdr-len", "segs-left", "last-entry")
ADDRESSES: Final = ("psid", "nsid", "lsid")


def _numbers(name: str, bits: int, text: str) -> Opt:
    return Opt(f"srh-{name}", uint(bits), invert=True, metavar="number", help=text)


def _address(name: str, text: str) -> Opt:
    return Opt(f"srh-{name}", host_mask, invert=True, metavar="addr[/mask]", help=text)


@dataclass(frozen=True, slots=True)
class Srh(Match):
    """``tests`` are (name of the option behind ``srh-``, value, mask, inverted) in the table's order."""

    NAME: ClassVar[str] = "srh"
    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    OPTIONS: ClassVar[Sequence[Opt]] = (
        _numbers("next-hdr", 8, "protocol behind the header"),
        _numbers("hdr-len-eq", 8, "header length field is this"),
        _numbers("hdr-len-gt", 8, "header length field is greater"),
        _numbers("hdr-len-lt", 8, "header length field is less"),
        _numbers("segs-left-eq", 8, "that many segments are left"),
        _numbers("segs-left-gt", 8, "more segments are left"),
        _numbers("segs-left-lt", 8, "fewer segments are left"),
        _numbers("last-entry-eq", 8, "index of the last segment is this"),
        _numbers("last-entry-gt", 8, "index of the last segment is greater"),
        _numbers("last-entry-lt", 8, "index of the last segment is less"),
        _numbers("tag", 16, "tag (compared with its bytes swapped)"),
        _address("psid", "the segment visited before"),
        _address("nsid", "the segment to visit next"),
        _address("lsid", "the last segment of the way"),
    )

    tests: tuple[tuple[str, int, int, bool], ...] = ()

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        last = {key.removeprefix("srh-")[:-3]: g.value for key, g in given.items() if key[-3:] in ("-eq", "-gt", "-lt")}
        out = []
        for opt in cls.OPTIONS:
            g, name = given.get(opt.name), opt.name.removeprefix("srh-")
            if g is None:
                continue
            value, mask = g.value if name in ADDRESSES else (last.get(name[:-3], g.value), 0)
            out.append((name, value, mask, g.inverted))
        return cls(tuple(out))

    def save(self, base: Base) -> str:
        out = ""
        for name, value, mask, inverted in self.tests:
            shown = _prefix(value, mask) if name in ADDRESSES else str(value)
            out += f"{' !' if inverted else ''} --srh-{name} {shown}"
        return out

    def listing(self, numeric: bool, base: Base) -> str:
        out = " srh"
        for name, value, mask, inverted in self.tests:
            sign = "!" if inverted else ""
            out += f" {name} {sign} {_prefix(value, mask)}" if name in ADDRESSES else f" {name}:{sign}{value}"
        return out

    def region(self, base: Base) -> Region:
        clauses = [within("srh_segs_left", ((0, 255),), label="-m srh")]  # the header is there and sound
        return Region(((*clauses, *map(_clause, self.tests)),))


def _prefix(value: int, mask: int) -> str:
    bits = mask_bits(mask, 6)
    return f"{show(value, 6)}/{0xFFFFFFFF if bits is None else bits}"  # upstream prints -1 unsigned


def _clause(test: tuple[str, int, int, bool]) -> Clause:
    name, value, mask, inverted = test
    label = f"{'! ' if inverted else ''}--srh-{name} " + (_prefix(value, mask) if name in ADDRESSES else str(value))
    if name in ADDRESSES:
        return masked(f"srh_{name}", value & mask, mask, inverted, label)
    field, relation = (name[:-3], name[-2:]) if name[:-3] in SHARED else (name, "eq")
    low, high = {"eq": (value, value), "gt": (value + 1, 0xFFFF), "lt": (0, value - 1)}[relation]
    return within(f"srh_{field.replace('-', '_')}", ((low, high),), inverted, label)


EXTENSIONS = (Srh,)
