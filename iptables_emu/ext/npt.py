"""What SNPT and DNPT share: IPv6 prefix translation without state (RFC 6296; kernel: ip6t_NPT.c)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Self

from iptables_emu.ext.api import Action, Base, Compile, Flow, Gathered, Opt, Outcome, Place, Target, Verdict
from iptables_emu.model.address import mask_bits, prefix_mask, show
from iptables_emu.options.types import host_mask
from iptables_emu.packet.packet import ICMPV6

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

PARAMETER_PROBLEM: Final = 4
ICMPV6_ERRORS: Final = frozenset({1, 2, 3, PARAMETER_PROBLEM})
NOT_CONTIGUOUS: Final = 255  # what libxtables makes of a mask that is no prefix
SOURCE_AT, DESTINATION_AT = 8, 24
Prefix = tuple[int, int]
Translate = Callable[[int], tuple[int, bool]]


@dataclass(frozen=True, slots=True)
class PrefixTranslation(Target):
    """Prefixes are (address, length); ``ADDRESS_AT`` is where the translated address stands in the header, and
    ``QUOTED_AT`` where the opposite one of a packet quoted by an ICMPv6 error stands."""

    FAMILIES: ClassVar[tuple[int, ...]] = (6,)
    TABLES: ClassVar[frozenset[str] | None] = frozenset({"mangle"})
    OPTIONS: ClassVar[Sequence[Opt]] = (
        Opt("src-pfx", host_mask, mandatory=True, ident=1, metavar="prefix/length", help="prefix to take away"),
        Opt("dst-pfx", host_mask, mandatory=True, ident=2, metavar="prefix/length", help="prefix to put in its place"),
    )
    ADDRESS_AT: ClassVar[int] = SOURCE_AT
    QUOTED_AT: ClassVar[int] = DESTINATION_AT

    source: Prefix
    target: Prefix

    @classmethod
    def parse(cls, given: Gathered, base: Base) -> Self:
        return cls(*(_prefix(*given[key].value) for key in ("src-pfx", "dst-pfx")))

    def save(self, base: Base) -> str:
        rows = (("src", self.source), ("dst", self.target))
        return "".join(f" --{end}-pfx {_show(prefix)}" for end, prefix in rows if prefix != (0, 0))

    def listing(self, numeric: bool, base: Base) -> str:
        return f" {self.NAME} src-pfx {_show(self.source)} dst-pfx {_show(self.target)}"

    def refused(self, place: Place) -> str | None:
        for address, length in (self.source, self.target):
            if length > 64 or address & ~prefix_mask(length, 6):
                return "EINVAL"
        return None

    def compile(self, cx: Compile) -> Action:
        adjustment = _fold(_sum(self.source[0]) + (0xFFFF - _sum(self.target[0])))
        length = max(self.source[1], self.target[1])

        def translate(address: int) -> tuple[int, bool]:
            return _translate(address, self.target[0], length, adjustment)

        def act(pkt: Packet, ctx: Context) -> Outcome:
            before = _read(pkt, self.ADDRESS_AT)
            after, neutral = translate(before)
            _write(pkt, self.ADDRESS_AT, after)
            if not neutral:  # no word of the interface identifier can make good the new prefix
                ctx.path.error(pkt, PARAMETER_PROBLEM, 0, self.ADDRESS_AT)
                return Verdict.DROP
            what = "source" if self.ADDRESS_AT == SOURCE_AT else "destination"
            ctx.rewrote(pkt, what, show(before, 6), show(after, 6))
            self._quoted(pkt, ctx, translate)
            return Flow.CONTINUE

        return act

    def _quoted(self, pkt: Packet, ctx: Context, translate: Translate) -> None:
        """The packet that an ICMPv6 error quotes went the other way: its opposite address is translated too."""
        data = pkt.data
        if data[6] != ICMPV6 or len(data) < 48 + 40 or data[40] not in ICMPV6_ERRORS:
            return
        before = _read(pkt, 48 + self.QUOTED_AT)
        if before & prefix_mask(self.source[1], 6) == self.source[0]:
            after, _ = translate(before)
            _write(pkt, 48 + self.QUOTED_AT, after)
            ctx.rewrote(pkt, "quoted address", show(before, 6), show(after, 6))


def _prefix(address: int, mask: int) -> Prefix:
    length = mask_bits(mask, 6)
    return address, NOT_CONTIGUOUS if length is None else length


def _show(prefix: Prefix) -> str:
    return f"{show(prefix[0], 6)}/{prefix[1]}"


def _read(pkt: Packet, at: int) -> int:
    return int.from_bytes(pkt.data[at : at + 16], "big")


def _write(pkt: Packet, at: int, address: int) -> None:
    # the change is made good inside the address, so no checksum changes
    pkt.data[at : at + 16] = address.to_bytes(16, "big")
    pkt.refresh()


def _fold(total: int) -> int:
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def _sum(address: int) -> int:
    return _fold(sum(address >> shift & 0xFFFF for shift in range(0, 128, 16)))


def _translate(address: int, target: int, length: int, adjustment: int) -> tuple[int, bool]:
    """The address with the other prefix, and whether a word could be adjusted to keep its checksum."""
    mask = prefix_mask(length, 6)
    address = address & ~mask | target & mask
    words = [address >> shift & 0xFFFF for shift in range(112, -1, -16)]
    at = 3 if length <= 48 else next((i for i in range(4, 8) if words[i] != 0xFFFF), None)
    if at is None:
        return address, False
    word = _fold(words[at] + adjustment)
    words[at] = 0 if word == 0xFFFF else word
    return int.from_bytes(b"".join(w.to_bytes(2, "big") for w in words), "big"), True
