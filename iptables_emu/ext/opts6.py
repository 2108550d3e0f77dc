"""What hbh and dst share: the options of a hop-by-hop or destination header (kernel: ip6t_hbh.c)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

from iptables_emu.ext import nft
from iptables_emu.ext.api import Base, Compile, Gathered, Match, Opt, Region, Test
from iptables_emu.ext.region import within
from iptables_emu.options.numbers import U64
from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext
from iptables_emu.options.types import uint
from iptables_emu.packet.exthdr import find_header, header_length

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

MOST = 16  # IP6T_OPTS_OPTSNR
ANY_LENGTH = 255
_STRTOUL = re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")


def _number(text: str, ext: str, what: str) -> int:
    """C's strtoul, sign and all; the low byte counts."""
    found = _STRTOUL.match(text)
    if found is None:
        raise ParameterProblem(f"{ext}: no valid digits in {what} `{text}'")
    sign, digits = found.groups()
    value = int(digits, 16 if digits[:2] in ("0x", "0X") else 8 if digits[0] == "0" else 10)
    if value > U64:
        raise ParameterProblem(f"{what} `{text}' specified too big: would overflow")
    if found.end() != len(text):
        raise ParameterProblem(f"{ext}: error parsing {what} `{text}'")
    return (-value if sign == "-" else value) & 0xFF


def options_list(pad_has_no_length: str) -> Callable[[str, OptionContext], tuple[tuple[int, int], ...]]:
    """``TYPE[:LEN],...`` -> ((type, length), ...); length 255 is any. The message is for a length of type 0."""

    def convert(text: str, cx: OptionContext) -> tuple[tuple[int, int], ...]:
        out: list[tuple[int, int]] = []
        words = text.split(",")
        for index, word in enumerate(words[:MOST]):
            kind_text, colon, length_text = word.partition(":")
            if colon and index == MOST - 1:
                raise ParameterProblem("too many ports specified")
            kind, length = _number(kind_text, cx.ext, "opt"), ANY_LENGTH
            if colon:
                if kind == 0:
                    raise ParameterProblem(pad_has_no_length)
                length = _number(length_text, cx.ext, "length")
            out.append((kind, length))
        if len(words) > MOST:
            raise ParameterProblem("too many addresses specified")
        return tuple(out)

    return convert


def option_rows(name: str, pad_has_no_length: str) -> tuple[Opt, ...]:
    """The rows of hbh's and dst's tables."""
    return (
        Opt(f"{name}-len", uint(32), invert=True, metavar="length", help="bytes of the whole header"),
        Opt(f"{name}-opts", options_list(pad_has_no_length), metavar="type[:len][,...]",
            help=f"the header's first options in this order, at most {MOST}"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class OptionsHeader(Match):
    """Base of both: ``length`` None and no ``options`` mean that the header is there."""

    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    OPTIONS: ClassVar[Sequence[Opt]] = ()
    HEADER: ClassVar[int] = 0
    FIELD: ClassVar[str] = ""

    length: int | None = None
    not_length: bool = False
    options: tuple[tuple[int, int], ...] = ()

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        length, options = given.get(f"{cls.NAME}-len"), given.get(f"{cls.NAME}-opts")
        return cls(
            length.value if length else None, bool(length and length.inverted), options.value if options else ()
        )

    def _options_text(self) -> str:
        shown = (str(kind) if length == ANY_LENGTH else f"{kind}:{length}" for kind, length in self.options)
        return " " + ",".join(shown)

    def save(self, base: Base) -> str:
        out = ""
        if self.length is not None:
            out += f"{' !' if self.not_length else ''} --{self.NAME}-len {self.length}"
        return out + (f" --{self.NAME}-opts{self._options_text()}" if self.options else "")

    def listing(self, numeric: bool, base: Base) -> str:
        out = f" {self.NAME}"
        if self.length is not None:
            out += f" length:{'!' if self.not_length else ''}{self.length}"
        return out + (f" opts{self._options_text()}" if self.options else "")

    def nft_length(self) -> str | None:
        """The length in nft's words; None when that is not all it asks."""
        if self.length is None or self.options:
            return None
        return f"{self.NAME} hdrlength {nft.unless(self.not_length)}{self.length}"

    def region(self, base: Base) -> Region | None:
        if self.options:
            return None  # an ordered list is no condition on single fields
        low, high = (0, 0xFFFF) if self.length is None else (self.length, self.length)
        label = self.save(base).strip() or f"-m {self.NAME}"
        return Region(((within(self.FIELD, ((low, high),), self.not_length, label),),))

    def compile(self, cx: Compile) -> Test:
        def test(pkt: Packet, ctx: Context) -> bool:
            at = find_header(pkt, self.HEADER, quiet=False)
            if at is None:
                return False
            size = header_length(pkt.data, self.HEADER, at)
            if at + size > len(pkt.data):
                pkt.hotdrop = True
                return False
            if self.length is not None and (size == self.length) is self.not_length:
                return False
            return _has_options(pkt.data[at + 2 :], size - 2, self.options)

        return test


def _has_options(body: bytearray, left: int, wanted: tuple[tuple[int, int], ...]) -> bool:
    """Whether the header begins with these options; ``body`` goes on to the packet's end, ``left`` is the header's."""
    at = 0
    for index, (kind, length) in enumerate(wanted):
        if left < 1 or at >= len(body) or body[at] != kind:
            return False
        size = 1
        if kind:
            if left < 2 or at + 1 >= len(body) or length not in (ANY_LENGTH, body[at + 1]):
                return False
            size = body[at + 1] + 2
        # only a following option needs the room
        if index < len(wanted) - 1 and (at + size > len(body) or left < size):
            return False
        at, left = at + size, left - size
    return True
