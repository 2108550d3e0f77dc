"""HMARK: set the packet's mark to a hash of its flow (kernel: xt_HMARK.c)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Place, Target
from iptables_emu.ext.hmark_tuple import Shape, flow_hash
from iptables_emu.model.address import FULL, mask_bits, show
from iptables_emu.options.numbers import U16, U32
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import Given, OptionContext
from iptables_emu.options.types import plen_mask, uint

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

# the words of --hmark-tuple in the order in which an abbreviation is looked up -> the option they stand for
WORDS: Final = {
    "ct": "ct", "src": "hmark-src-prefix", "dst": "hmark-dst-prefix", "sport": "hmark-sport-mask",
    "dport": "hmark-dport-mask", "proto": "hmark-proto-mask", "spi": "hmark-spi-mask",
}  # fmt: skip
SELECTING: Final = (
    "hmark-src-prefix", "hmark-dst-prefix", "hmark-spi-mask", "hmark-sport-mask", "hmark-dport-mask",
    "hmark-proto-mask", "hmark-sport", "hmark-dport", "hmark-spi", "ct",
)  # fmt: skip
ALL_ONES: Final = {"hmark-sport-mask": U16, "hmark-dport-mask": U16, "hmark-proto-mask": U16, "hmark-spi-mask": U32}


def _tuple(text: str, cx: OptionContext) -> str:
    """``src,dst ...``: each word gives the whole mask of its field, as if its own option had been used."""
    *words, last = text.split(",")
    rest = text
    for word in words:
        _word(word, rest, cx)
        rest = rest[len(word) + 1 :]
    if not last:
        raise ParameterProblem(
            '"--hmark-tuple" requires a list of types with no spaces, e.g. src,dst,sport,dport,proto'
        )
    _word(last, rest, cx)
    return text


def _word(word: str, rest: str, cx: OptionContext) -> None:
    option = next((option for name, option in WORDS.items() if word and name.startswith(word.lower())), None)
    if option is None:
        raise ParameterProblem(f'Bad type "{rest}"')
    cx.given[option] = Given(ALL_ONES.get(option, FULL[cx.base.family]))


@dataclass(frozen=True, slots=True)
class Hmark(Target):
    """None of a field means that its option was not given. Ports and SPI are numbers, not bytes."""

    NAME: ClassVar[str] = "HMARK"
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("hmark-tuple", _tuple, metavar="list", help="Fields to hash: src,dst,sport,dport,spi,proto,ct", ident=13),
        Opt("hmark-src-prefix", plen_mask, metavar="length", help="Prefix of the source to hash", ident=0),
        Opt("hmark-dst-prefix", plen_mask, metavar="length", help="Prefix of the destination to hash", ident=1),
        Opt("hmark-sport-mask", uint(16), metavar="value", help="Bits of the source port to hash", ident=6),
        Opt("hmark-dport-mask", uint(16), metavar="value", help="Bits of the destination port to hash", ident=7),
        Opt("hmark-spi-mask", uint(32), metavar="value", help="Bits of the SPI (ESP, AH) to hash", ident=3),
        Opt("hmark-sport", uint(16), metavar="value", help="Bits to set in the source port", ident=4),
        Opt("hmark-dport", uint(16), metavar="value", help="Bits to set in the destination port", ident=5),
        Opt("hmark-spi", uint(32), metavar="value", help="Bits to set in the SPI", ident=2),
        Opt("hmark-proto-mask", uint(16), metavar="value", help="Bits of the protocol to hash", ident=8),
        Opt("hmark-rnd", uint(32), metavar="value", help="Seed of the hash", ident=9),
        Opt("hmark-mod", uint(32, 1), mandatory=True, metavar="value", help="Number of different marks", ident=10),
        Opt("hmark-offset", uint(32), metavar="value", help="The least mark", ident=11),
    )

    src_mask: int | None
    dst_mask: int | None
    sport_mask: int | None
    dport_mask: int | None
    spi_mask: int | None
    sport: int | None
    dport: int | None
    spi: int | None
    proto_mask: int | None
    rnd: int
    mod: int
    offset: int | None
    ct: bool

    @classmethod
    def check(cls, given: Gathered, base: Base) -> None:
        for name in ("hmark-mod", "hmark-rnd"):
            if name not in given:
                raise ParameterProblem(f"--{name} is mandatory")
        if "hmark-spi-mask" in given and ("hmark-sport-mask" in given or "hmark-dport-mask" in given):
            raise ParameterProblem("you cannot use --hmark-spi-mask and --hmark-?port-mask,at the same time")
        if not any(name in given for name in SELECTING):
            raise ParameterProblem("you have to specify --hmark-tuple at least")

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        def of(name: str) -> int | None:
            return int(given[name].value) if name in given else None

        return cls(
            of("hmark-src-prefix"), of("hmark-dst-prefix"), of("hmark-sport-mask"), of("hmark-dport-mask"),
            of("hmark-spi-mask"), of("hmark-sport"), of("hmark-dport"), of("hmark-spi"), of("hmark-proto-mask"),
            given["hmark-rnd"].value, given["hmark-mod"].value, of("hmark-offset"), "ct" in given,
        )  # fmt: skip

    def save(self, base: Base) -> str:
        def part(option: str, value: int | None, digits: int) -> str:
            return "" if value is None else f" --hmark-{option} 0x{value:0{digits}x}"

        out = ""
        for option, mask in (("src", self.src_mask), ("dst", self.dst_mask)):
            if mask is not None:
                bits = mask_bits(mask, base.family)
                out += f" --hmark-{option}-prefix {-1 if bits is None else bits}"
        out += part("sport-mask", self.sport_mask, 4) + part("dport-mask", self.dport_mask, 4)
        out += part("spi-mask", self.spi_mask, 8) + part("sport", self.sport, 4) + part("dport", self.dport, 4)
        out += part("spi", self.spi, 8) + part("proto-mask", self.proto_mask, 2) + part("rnd", self.rnd, 8)
        out += f" --hmark-mod {self.mod}" + ("" if self.offset is None else f" --hmark-offset {self.offset}")
        return out + (" --hmark-tuple ct" if self.ct else "")

    def listing(self, numeric: bool, base: Base) -> str:
        out = f" HMARK mod {self.mod} " + ("" if self.offset is None else f"+ 0x{self.offset:x} ")
        out += "ct, " if self.ct else ""
        for option, mask in (("src", self.src_mask), ("dst", self.dst_mask)):
            if mask is not None:
                out += f"{option}-prefix {_prefix(mask, base.family)} "
        for option, value in (
            ("sport-mask", self.sport_mask), ("dport-mask", self.dport_mask), ("spi-mask", self.spi_mask),
            ("sport", self.sport), ("dport", self.dport), ("spi", self.spi), ("proto-mask", self.proto_mask),
            ("rnd", self.rnd),
        ):  # fmt: skip
            out += "" if value is None else f"{option} 0x{value:x} "
        return out

    def refused(self, place: Place) -> str | None:
        both = self.spi is not None and (self.sport is not None or self.dport is not None)
        return "EINVAL" if both else None

    def compile(self, cx: Compile) -> Action:
        def both(spi: int | None, sport: int | None, dport: int | None) -> int:
            return spi if spi is not None else (sport or 0) << 16 | (dport or 0)

        shape = Shape(
            self.src_mask or 0, self.dst_mask or 0, both(self.spi_mask, self.sport_mask, self.dport_mask),
            both(self.spi, self.sport, self.dport), self.proto_mask or 0, self.rnd, self.ct,
        )  # fmt: skip

        def act(pkt: Packet, ctx: Context) -> Flow:
            value = flow_hash(pkt, shape)
            if value is not None:
                ctx.set_mark(pkt, (value * self.mod >> 32) + (self.offset or 0) & U32)
            return Flow.CONTINUE

        return act


def _prefix(mask: int, family: int) -> str:
    """As -L writes it: nothing for all of an IPv6 address, -1 as an unsigned number for IPv4 masks with holes."""
    bits = mask_bits(mask, family)
    if bits is None:
        return show(mask, 6) if family == 6 else str(U32)
    return "" if bits == 128 else str(bits)


EXTENSIONS = (Hmark,)
