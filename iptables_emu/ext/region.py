"""The meaning of a pure match as a set over packet fields.

A region is a union of boxes, a box a conjunction of clauses over single fields; a clause is a list of
ranges or a value under a mask. From this one statement come the compiled test, the "why not" line and
every analysis. Field names are those of :mod:`iptables_emu.packet.fields`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptables_emu.packet.fields import FIELDS

if TYPE_CHECKING:
    from iptables_emu.packet.packet import Packet

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """``field in ranges`` or ``field & mask == value``; ``negated`` turns it. A missing field never matches."""

    field: str
    ranges: Ranges = ()
    mask: int = 0
    value: int = 0
    negated: bool = False
    label: str = ""  # how iptables writes it, such as "--dport 80"

    def holds(self, pkt: Packet) -> bool:
        have = FIELDS[self.field].get(pkt)
        if have is None:
            return False
        if self.ranges:
            return any(low <= have <= high for low, high in self.ranges) is not self.negated
        return (have & self.mask == self.value) is not self.negated

FRAGMENT_HEADER = 8  # bytes


def within(field: str, ranges: Iterable[tuple[int, int]], negated: bool = False, label: str = "") -> Clause:
    """The field lies in one of the (low, high) ranges."""
    return Clause(field, tuple(ranges), negated=negated, label=label)


def masked(field: str, value: int, mask: int, negated: bool = False, label: str = "") -> Clause:
    """The field under the mask equals the value."""
    return Clause(field, (), mask, value, negated, label)


@dataclass(frozen=True, slots=True)
class Header:
    """What must be readable before any clause is looked at.

    ``size`` bytes of transport header must be there; when they are not, the packet is dropped at once
    (xtables' hotdrop) if ``hotdrop``, else the match fails. A later fragment fails without a drop;
    ``evil`` drops the one at offset 8 (kernel: tcp_mt, xt_tcpudp.c; not over IPv6, where ip6_tables counts bytes).
    With ``raw`` (nf_tables) it is read as if a transport header stood there.
    """

    size: int = 0
    hotdrop: bool = True
    evil: bool = False
    raw: bool = False


@dataclass(frozen=True, slots=True)
class Region:
    """Union of boxes (each a tuple of clauses), behind an optional header condition."""

    boxes: tuple[tuple[Clause, ...], ...] = ((),)
    header: Header | None = None

    def test(self) -> Callable[[Packet, object], bool]:
        """The compiled test."""
        header, boxes = self.header, self.boxes
        if header is None and len(boxes) == 1 and len(boxes[0]) == 1:
            only = boxes[0][0].holds
            return lambda pkt, ctx: only(pkt)

        def test(pkt: Packet, ctx: object) -> bool:
            if header is not None:
                if header.raw and pkt.frag_offset:
                    pkt = as_first(pkt)
                if not readable(header, pkt):
                    return False
            return any(all(clause.holds(pkt) for clause in box) for box in boxes)

        return test

    def why_not(self, pkt: Packet) -> tuple[str, str] | None:
        """(clause as written, the packet's value) of the first clause that fails in the nearest box."""
        if self.header is not None and self.header.raw and pkt.frag_offset:
            pkt = as_first(pkt)
        if self.header is not None and not readable(self.header, pkt, quiet=True):
            return "", "a later fragment" if pkt.frag_offset else "the transport header is cut off"
        best: Clause | None = None
        reached = -1
        for box in self.boxes:
            failed = next((i for i, clause in enumerate(box) if not clause.holds(pkt)), None)
            if failed is None:
                return None
            if failed > reached:
                reached, best = failed, box[failed]
        if best is None:
            return None
        field = FIELDS[best.field]
        return best.label, f"{field.label} {field.text(field.get(pkt))}"


def as_first(pkt: Packet) -> Packet:
    """A later fragment seen as a first one; with IPv6 nf_tables takes its fragment header for the transport header."""
    view = pkt.copy()
    view.frag_offset = 0
    if view.family == 6:
        view.l4 -= FRAGMENT_HEADER
    return view


def readable(header: Header, pkt: Packet, quiet: bool = False) -> bool:
    """Whether the transport header can be read; sets ``pkt.hotdrop`` where the kernel does."""
    if pkt.frag_offset:
        if header.evil and pkt.frag_offset == 8 and not quiet:
            pkt.hotdrop = True
        return False
    if len(pkt.data) - pkt.l4 < header.size:
        if header.hotdrop and not quiet:
            pkt.hotdrop = True
        return False
    return True
