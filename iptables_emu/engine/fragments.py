"""IPv4 fragments: putting together and taking apart (kernel: ip_fragment.c, ip_output.c)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iptables_emu.engine.pieces import ECN_MIX, Pieces
from iptables_emu.packet.packet import TCP, Packet

TIMEOUT_NS = 30_000_000_000
TCP_HEADER = 20


@dataclass(slots=True)
class _Queue(Pieces):
    first: Packet | None = None
    largest: int = 0
    largest_df: int = 0
    ecn: int = 0


class Reassembly:
    """Fragments that wait for their siblings."""

    def __init__(self) -> None:
        self.queues: dict[tuple[int, int, int, int, str], _Queue] = {}

    def add(self, pkt: Packet, user: str, now: int) -> Packet | None:
        """The whole datagram (it then is ``pkt``, changed) once its last fragment is there, else None (ip_frag_queue)."""
        for key, queue in list(self.queues.items()):
            if now - queue.born > TIMEOUT_NS:
                del self.queues[key]
        key = (pkt.src, pkt.dst, pkt.ident, pkt.proto, user)
        queue = self.queues.setdefault(key, _Queue(now))
        payload = bytes(pkt.data[pkt.l4 : pkt.length])
        start = pkt.frag_offset
        if pkt.mf:
            payload = payload[: len(payload) & ~7]
        good = queue.fits(start + len(payload), pkt.mf) and bool(payload)
        outcome = queue.insert(start, payload) if good else "overlap"
        if outcome != "new":
            if outcome == "overlap":
                del self.queues[key]  # whatever makes no sense takes all of it along
            return None
        if start == 0:
            queue.first = pkt.copy()
        queue.ecn |= 1 << (pkt.tos & 3)
        queue.largest = max(queue.largest, pkt.l4 + len(payload))
        if pkt.df:
            queue.largest_df = max(queue.largest_df, pkt.l4 + len(payload))
        return self._whole(key, queue, pkt)

    def _whole(self, key: tuple[int, int, int, int, str], queue: _Queue, pkt: Packet) -> Packet | None:
        if not queue.complete or queue.first is None:
            return None
        del self.queues[key]
        data = queue.first.data[: queue.first.l4] + queue.joined()
        ecn = ECN_MIX[queue.ecn]
        if len(data) > 65535 or ecn is None:
            return None
        data[1] |= ecn
        data[2:4] = len(data).to_bytes(2, "big")
        data[6:8] = b"\x40\0" if queue.largest_df == queue.largest else b"\0\0"
        pkt.data = data
        pkt.refresh_ip_checksum()
        pkt.frag_max = queue.largest
        pkt.frag_sizes = queue.sizes()
        return pkt


def _cut(size: int, room: int) -> Iterator[int]:
    """Pieces of at most ``room`` bytes, all but the last a multiple of 8."""
    while size > room:
        yield room & ~7
        size -= room & ~7
    yield size


def split(pkt: Packet, mtu: int) -> list[bytes]:
    """The fragments of a packet (ip_do_fragment), in their order."""
    if pkt.frag_max and pkt.frag_max < mtu:
        mtu = pkt.frag_max
    head, body = bytes(pkt.data[: pkt.l4]), bytes(pkt.data[pkt.l4 :])
    room = mtu - len(head)
    sizes = list(pkt.frag_sizes)
    # the pieces stay as they came, unless the look for a TCP socket at input has joined the first two
    joined = bool(sizes) and pkt.forwarded and pkt.proto == TCP and sizes[0] < TCP_HEADER
    kept = sizes and sum(sizes) == len(body) and all(s <= room for s in sizes) and all(s & 7 == 0 for s in sizes[:-1])
    if not kept or joined:
        sizes = list(_cut(len(body), room))
    out, at = [], 0
    more_after = pkt.mf
    for index, size in enumerate(sizes):
        piece = bytearray(head)
        flags = (0x4000 if pkt.df else 0) | (pkt.frag_offset + at) // 8
        if index < len(sizes) - 1 or more_after:
            flags |= 0x2000
        piece[2:4] = (len(head) + size).to_bytes(2, "big")
        piece[6:8] = flags.to_bytes(2, "big")
        fragment = Packet(bytes(piece) + body[at : at + size])
        fragment.refresh_ip_checksum()
        out.append(bytes(fragment.data))
        at += size
    return out
