"""IPv6 fragments: put together by conntrack or the host, taken apart on output
(kernel: nf_conntrack_reasm.c, ipv6/reassembly.c, ip6_output.c)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from iptables_emu.engine.pieces import ECN_MIX, PULLED, Pieces
from iptables_emu.host.address6 import needs_interface
from iptables_emu.packet.exthdr import EXTENSION_HEADERS, header_length, skip_headers
from iptables_emu.packet.packet import DSTOPTS, FRAGMENT, HOPOPTS, ICMPV6, ROUTING, TCP, UDP, Packet

LARGEST = 65535
NEEDED = {TCP: 20, UDP: 8, ICMPV6: 8}


@dataclass(slots=True)
class Fragment:
    """A packet's fragment header: where it stands, where the number that names it, and what it says."""

    at: int
    named_at: int
    offset: int
    more: bool
    ident: int


@dataclass(slots=True)
class _Queue(Pieces):
    first: Packet | None = None
    named_at: int = 0
    headers: int = 0
    largest: int = 0
    ecn: int = 0


class Refused(Exception):
    """The fragment is not taken. ``pointer``: what a parameter problem would point at; 0: there is none to send.
    ``pass_on``: conntrack lets it go on as it is."""

    def __init__(self, pointer: int = 0, *, pass_on: bool = False) -> None:
        super().__init__(pointer)
        self.pointer, self.pass_on = pointer, pass_on


def read(pkt: Packet) -> Fragment | None:
    """The fragment header of a packet that has one (find_prev_fhdr). Raises Refused where it is cut off."""
    data = pkt.data
    proto, at, named_at = data[6], 40, 6
    while proto != FRAGMENT:
        if proto not in EXTENSION_HEADERS or at + 2 > len(data):
            return None
        named_at = at
        proto, at = data[at], at + header_length(data, proto, at)
    if at > len(data):
        return None
    if at + 8 > len(data):
        raise Refused
    return at_header(data, at, named_at & 0xFF)  # the kernel keeps one byte


def at_header(data: bytes | bytearray, at: int, named_at: int) -> Fragment:
    """The fragment header at a place."""
    word = int.from_bytes(data[at + 2 : at + 4], "big")
    return Fragment(at, named_at, word & 0xFFF8, bool(word & 1), int.from_bytes(data[at + 4 : at + 8], "big"))


def head_is_cut(pkt: Packet, at: int, proto: int) -> bool:
    """Whether a first fragment lacks a part of its headers (ipv6frag_thdr_truncated)."""
    found = skip_headers(pkt.data, at, proto)
    if found is None or found[2] & 0xFFF8:
        return False
    return found[1] + NEEDED.get(found[0], 1) > len(pkt.data)


@dataclass(slots=True)
class Reassembly6:
    """Fragments that wait for their siblings."""

    queues: dict[tuple[int, int, int, str, str], _Queue] = field(default_factory=dict)

    def expired(self, now: int, patience: int, conntracks: int) -> list[Packet]:
        """The first fragments of what has waited too long, for the host itself and for conntrack."""
        limits = {key: conntracks if key[3] else patience for key in self.queues}
        late = [key for key, queue in self.queues.items() if now - queue.born >= limits[key]]
        gone = [(key, self.queues.pop(key)) for key in late]
        return [queue.first for _, queue in gone if queue.first is not None]

    def add(self, pkt: Packet, piece: Fragment, user: str, now: int) -> Packet | None:
        """The whole packet once its last fragment is there (it then is ``pkt``, changed), else None. Raises Refused.

        ``user`` "" is the host itself, which is stricter than conntrack with what is wrong.
        """
        key = (piece.ident, pkt.src, pkt.dst, user, pkt.iif if needs_interface(pkt.dst) else "")
        queue = self.queues.setdefault(key, _Queue(now))
        start, end = piece.offset, piece.offset + pkt.length - piece.at - 8
        if end > LARGEST:
            raise Refused(piece.at + 2)
        if piece.more and end & 7:
            if user:
                del self.queues[key]
                raise Refused(pass_on=True)
            raise Refused(4)
        if not queue.fits(end, piece.more) or end == start:
            if not user:
                del self.queues[key]
            raise Refused
        kind = queue.insert(start, bytes(pkt.data[piece.at + 8 : pkt.length]))
        if kind != "new":
            if kind == "overlap":
                del self.queues[key]
            raise Refused
        queue.largest = max(queue.largest, pkt.length)
        queue.ecn |= 1 << (pkt.tos & 3)
        if start == 0:
            queue.first, queue.named_at, queue.headers = pkt.copy(), piece.named_at, piece.at
        if queue.first is None or not queue.complete:
            return None
        del self.queues[key]
        return self._whole(queue, queue.first, pkt)

    @staticmethod
    def _whole(queue: _Queue, first: Packet, pkt: Packet) -> Packet:
        at = queue.headers
        data = first.data[:at]
        data[queue.named_at] = first.data[at]
        data += queue.joined()
        ecn = ECN_MIX[queue.ecn]
        if ecn is None or len(data) - 40 > LARGEST:
            raise Refused
        data[4:6] = (len(data) - 40).to_bytes(2, "big")
        data[1] |= ecn << 4
        whole = first.copy()
        whole.replace(bytes(data))
        for name in ("data", "mark", "eth", "pkttype", "priority"):
            setattr(pkt, name, getattr(whole, name))
        pkt.refresh()
        pkt.ignore_df = True
        pkt.frag_max, pkt.frag_sizes, pkt.frag_head = queue.largest, queue.sizes(), at
        pkt.pull(PULLED.get(pkt.proto, 0))
        pkt.frag_named = 40 if first.data[6] == HOPOPTS else 6
        return pkt


def split(pkt: Packet, mtu: int, rng: random.Random) -> list[bytes] | None:
    """The fragments of a packet in their order (ip6_fragment); None: it is too big."""
    if pkt.frag_max > mtu or not (pkt.frag_max or pkt.ipid_own):
        return None
    data = bytes(pkt.data)
    named_at, at = _fixed_headers(data)
    room = (max(pkt.frag_max, 1280) if pkt.frag_max else mtu) - at - 8
    if room < 8:
        return None
    total, offset, out = len(data) - at, 0, []
    ident = rng.getrandbits(32).to_bytes(4, "big")
    for size in _sizes(pkt, at, total, room):
        head = bytearray(data[:at])
        head[named_at] = FRAGMENT
        head[4:6] = (at - 40 + 8 + size).to_bytes(2, "big")
        word = (offset | (offset + size < total)).to_bytes(2, "big")
        out.append(bytes(head) + bytes((data[named_at], 0)) + word + ident + data[at + offset : at + offset + size])
        offset += size
    return out


def _sizes(pkt: Packet, at: int, total: int, room: int) -> list[int]:
    """How the payload is cut: as it came if that fits, else as large as may be."""
    sizes = list(pkt.frag_sizes)
    if sizes:
        sizes[0] += pkt.frag_head - at
        if sum(sizes) == total and 0 < max(sizes) <= room and not any(s & 7 or s <= 0 for s in sizes[:-1]):
            return sizes
    sizes, left = [], total
    while left:
        sizes.append(left if left <= room else room & ~7)
        left -= sizes[-1]
    return sizes


def _fixed_headers(data: bytes) -> tuple[int, int]:
    """Where the fragment header goes: (place of the number before it, its own) (ip6_find_1stfragopt)."""
    named_at, at, routed = 6, 40, False
    while data[named_at] in (HOPOPTS, ROUTING, DSTOPTS):
        if data[named_at] == ROUTING:
            routed = True
        elif data[named_at] == DSTOPTS and routed:
            break
        if at + 2 > len(data):
            break
        named_at, at = at, at + (data[at + 1] + 1) * 8
    return named_at, min(at, len(data))
