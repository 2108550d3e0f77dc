"""IPv6 extension headers of a packet, as the matches on them look for them (kernel: ipv6_find_hdr, exthdrs_core.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from iptables_emu.packet.packet import Packet

HOPOPTS, ROUTING, FRAGMENT, ESP, AH, NO_NEXT, DSTOPTS = 0, 43, 44, 50, 51, 59, 60
EXTENSION_HEADERS: Final = frozenset({HOPOPTS, ROUTING, FRAGMENT, AH, DSTOPTS})
SRH_TYPE: Final = 4  # the routing header type of segment routing

# the bits of ip6t_ipv6header.h
HEADER_BITS: Final = {HOPOPTS: 128, DSTOPTS: 64, ROUTING: 32, FRAGMENT: 16, AH: 8, ESP: 4, NO_NEXT: 2}
PROTO_BIT: Final = 1


def find_header(pkt: Packet, wanted: int, *, quiet: bool = True) -> int | None:
    """Offset of the first header of that type, or None.

    A chain that is cut off before it could be found drops the packet (hotdrop) unless ``quiet``.
    """
    data = pkt.data
    proto, at = data[6], 40
    while proto in EXTENSION_HEADERS:
        if at + _readable(proto) > len(data):
            pkt.hotdrop = pkt.hotdrop or not quiet
            return None
        if proto == wanted:
            return at
        if proto == FRAGMENT and int.from_bytes(data[at + 2 : at + 4], "big") & 0xFFF8:
            return None  # what follows a later fragment's header is payload
        proto, at = data[at], at + header_length(data, proto, at)
    return None


def skip_headers(data: bytes | bytearray, at: int = 40, proto: int | None = None) -> tuple[int, int, int] | None:
    """(protocol, its offset, fragment offset with the "more" bit) behind the extension headers; None where they
    are cut off (ipv6_skip_exthdr). A later fragment's payload is not looked into."""
    proto = data[6] if proto is None else proto
    word = 0
    while proto in EXTENSION_HEADERS or proto == NO_NEXT:
        if proto == NO_NEXT or at + 2 > len(data):
            return None
        if proto == FRAGMENT:
            if at + 4 > len(data):
                return None
            word = int.from_bytes(data[at + 2 : at + 4], "big")
            if word & 0xFFF8:
                break
        proto, at = data[at], at + header_length(data, proto, at)
    return proto, at, word


def _readable(proto: int) -> int:
    """Bytes of a header that the walk itself needs."""
    return 4 if proto in (ROUTING, FRAGMENT) else 2


def header_length(data: bytes | bytearray, proto: int, at: int) -> int:
    """Length in bytes of the extension header at ``at``."""
    if proto == FRAGMENT:
        return 8
    return (data[at + 1] + 2) * 4 if proto == AH else (data[at + 1] + 1) * 8


def header_bits(pkt: Packet) -> int | None:
    """Which headers the packet has, as ``HEADER_BITS`` (kernel: ip6t_ipv6header.c); None when it is cut off."""
    data = pkt.data
    proto, at, bits = data[6], 40, 0
    while proto in HEADER_BITS:
        if proto == NO_NEXT:
            return bits | HEADER_BITS[NO_NEXT]
        if len(data) - at < 2:
            return None
        bits |= HEADER_BITS[proto]
        if proto == ESP:
            return bits
        proto, at = data[at], at + header_length(data, proto, at)
        if at > len(data):
            break
    return bits if proto in (NO_NEXT, ESP) else bits | PROTO_BIT


def whole(pkt: Packet, wanted: int, least: int) -> int | None:
    """Offset of a header that is there to its last byte and has ``least`` bytes, or None."""
    at = find_header(pkt, wanted)
    if at is None or at + max(least, header_length(pkt.data, wanted, at)) > len(pkt.data):
        return None
    return at


def segment_routing(pkt: Packet) -> int | None:
    """Offset of a sound segment routing header, or None (kernel: ip6t_srh.c)."""
    at = whole(pkt, ROUTING, 8)
    if at is None or pkt.data[at + 2] != SRH_TYPE or pkt.data[at + 3] > pkt.data[at + 4]:
        return None
    return at


def segment(pkt: Packet, index: Callable[[int, int], int | None]) -> int | None:
    """The segment whose number ``index`` works out of (segments left, last entry), as an address."""
    at = segment_routing(pkt)
    number = index(pkt.data[at + 3], pkt.data[at + 4]) if at is not None else None
    if at is None or number is None:
        return None
    start = at + 8 + 16 * number
    return int.from_bytes(pkt.data[start : start + 16], "big") if start + 16 <= len(pkt.data) else None


def _bytes(find: Callable[[Packet], int | None], at: int, size: int) -> Callable[[Packet], int | None]:
    def get(pkt: Packet) -> int | None:
        start = find(pkt)
        if start is None or start + at + size > len(pkt.data):
            return None
        return int.from_bytes(pkt.data[start + at : start + at + size], "big")

    return get


def _length(wanted: int) -> Callable[[Packet], int | None]:
    def get(pkt: Packet) -> int | None:
        at = whole(pkt, wanted, 2)
        return None if at is None else header_length(pkt.data, wanted, at)

    return get


def _eui64(pkt: Packet) -> int | None:
    """1 when the source's last 64 bits are the EUI-64 of the frame's source MAC (kernel: ip6t_eui64.c)."""
    mac = pkt.source_mac
    if mac is None or pkt.eth[12:14] != b"\x86\xdd":
        return None
    wanted = mac >> 24 << 40 | 0xFFFE << 24 | mac & 0xFFFFFF
    return int(pkt.src & (1 << 64) - 1 == wanted ^ 2 << 56)


def _tag(pkt: Packet) -> int | None:
    # the kernel compares the field as it lies in memory: on the usual little-endian machines its bytes are swapped
    at = segment_routing(pkt)
    return None if at is None else int.from_bytes(pkt.data[at + 6 : at + 8], "little")


def _fragment(pkt: Packet) -> int | None:
    at = find_header(pkt, FRAGMENT)
    return at if at is None or at + 8 <= len(pkt.data) else None


def _routing(pkt: Packet) -> int | None:
    return whole(pkt, ROUTING, 4)


# (name, label, getter, how it is shown) for packet.fields
FIELD_ROWS: Final[tuple[tuple[str, str, Callable[[Packet], int | None], str], ...]] = (
    ("ipv6_headers", "headers", header_bits, "x"),
    ("eui64", "EUI-64 source", _eui64, "d"),
    ("frag6_id", "fragment id", _bytes(_fragment, 4, 4), "d"),
    ("frag6_word", "fragment offset and flags", _bytes(_fragment, 2, 2), "x"),
    ("frag6_reserved", "reserved byte", _bytes(_fragment, 1, 1), "x"),
    ("hbh_len", "hop-by-hop length", _length(HOPOPTS), "d"),
    ("dst_len", "destination options length", _length(DSTOPTS), "d"),
    ("rt_len", "routing header length", _length(ROUTING), "d"),
    ("rt_type", "routing type", _bytes(_routing, 2, 1), "d"),
    ("rt_segsleft", "segments left", _bytes(_routing, 3, 1), "d"),
    ("rt_reserved", "reserved word", _bytes(_routing, 4, 4), "x"),
    ("srh_next_hdr", "next header", _bytes(segment_routing, 0, 1), "d"),
    ("srh_hdr_len", "header length", _bytes(segment_routing, 1, 1), "d"),
    ("srh_segs_left", "segments left", _bytes(segment_routing, 3, 1), "d"),
    ("srh_last_entry", "last entry", _bytes(segment_routing, 4, 1), "d"),
    ("srh_tag", "tag", _tag, "d"),
    ("srh_psid", "previous segment", lambda p: segment(p, lambda left, last: left + 1 if left != last else None), "a"),
    ("srh_nsid", "next segment", lambda p: segment(p, lambda left, last: left - 1 if left else None), "a"),
    ("srh_lsid", "last segment", lambda p: segment(p, lambda left, last: 0), "a"),
    ("mh_type", "mobility type", lambda p: p.data[p.l4 + 2] if p.l4 + 3 <= len(p.data) else None, "d"),
)
