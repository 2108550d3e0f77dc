"""IPv4 fragments: putting together and taking apart (kernel: ip_fragment.c, ip_output.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from iptables_emu.packet.packet import TCP, Packet

TIMEOUT_NS = 30_000_000_000
TCP_HEADER = 20


@dataclass(slots=True)
class _Queue:
    born: int
    pieces: list[tuple[int, bytes, bool]] = field(default_factory=list)  # offset, payload, more
    first: Packet | None = None
    largest: int = 0
    largest_df: int = 0
    total: int | None = None
    tos_ecn: int = 0


class Reassembly:
    """Fragments that wait for their siblings."""

    def __init__(self) -> None:
        self.queues: dict[tuple[int, int, int, int, str], _Queue] = {}

    def add(self, pkt: Packet, user: str, now: int) -> Packet | None:
        """The whole datagram once its last fragment is there (it then is ``pkt``, changed), else None."""
        for key, queue in list(self.queues.items()):
            if now - queue.born > TIMEOUT_NS:
                del self.queues[key]
        key = (pkt.src, pkt.dst, pkt.ident, pkt.proto, user)
        queue = self.queues.setdefault(key, _Queue(now))
        payload = bytes(pkt.data[pkt.l4 : pkt.length])
        start, end = pkt.frag_offset, pkt.frag_offset + len(payload)
        if pkt.mf:
            if len(payload) & 7:
                end &= ~7
                payload = payload[: end - start]
                if end == start:
                    return None
            if queue.total is not None and end > queue.total:
                return None
        else:
            if (queue.total is not None and queue.total != end) or any(o + len(p) > end for o, p, _ in queue.pieces):
                return None
            queue.total = end
        if end == start or end > 65535:
            return None
        for offset, data, _ in queue.pieces:
            if start < offset + len(data) and offset < end:
                if not (offset == start and len(data) == len(payload)):
                    del self.queues[key]  # overlaps are an attack: all of it goes
                return None
        queue.pieces.append((start, payload, pkt.mf))
        if start == 0:
            queue.first = pkt.copy()
        queue.largest = max(queue.largest, pkt.length)
        if pkt.df:
            queue.largest_df = max(queue.largest_df, pkt.length)
        return self._whole(key, queue, pkt)

    def _whole(self, key: tuple[int, int, int, int, str], queue: _Queue, pkt: Packet) -> Packet | None:
        queue.pieces.sort(key=lambda piece: piece[0])
        if queue.total is None or queue.first is None or sum(len(p) for _, p, _ in queue.pieces) != queue.total:
            return None
        del self.queues[key]
        head = bytearray(queue.first.data[: queue.first.l4])
        data = head + b"".join(p for _, p, _ in queue.pieces)
        if len(data) > 65535:
            return None
        data[2:4] = len(data).to_bytes(2, "big")
        data[6:8] = b"\x40\0" if queue.largest_df == queue.largest else b"\0\0"
        pkt.data = data
        pkt.refresh_ip_checksum()
        pkt.frag_max = queue.largest
        pkt.frag_sizes = tuple(len(p) for _, p, _ in queue.pieces)
        return pkt


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
        step = room & ~7
        sizes = [min(step, len(body) - at) for at in range(0, len(body), step)]
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
