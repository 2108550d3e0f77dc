"""IPv4 fragments: putting together and taking apart (kernel: ip_fragment.c, ip_output.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from iptables_emu.engine.pieces import ECN_MIX, PULLED, Pieces
from iptables_emu.packet.packet import Packet

LARGEST = 65535
COPIED = 0x80  # the bit of an option that stands in every fragment
END, NOOP = 0, 1

Key = tuple[int, int, int, int, str]


@dataclass(slots=True)
class Queue(Pieces):
    """The fragments of one datagram."""

    first: Packet | None = None
    largest: int = 0
    largest_df: int = 0
    ecn: int = 0
    iif: str = ""  # by which the last one came
    shortest: int = 60  # header of a later fragment


@dataclass(slots=True)
class Reassembly:
    """Fragments that wait for their siblings. ``user``: who puts them together."""

    queues: dict[Key, Queue] = field(default_factory=dict)

    def expired(self, now: int, patience: int) -> list[tuple[str, Queue]]:
        """(user, fragments) of what has waited too long; it is forgotten."""
        late = [key for key, queue in self.queues.items() if now - queue.born >= patience]
        return [(key[4], self.queues.pop(key)) for key in late]

    def add(self, pkt: Packet, user: str, now: int) -> Packet | None:
        """The whole datagram once its last fragment is there (it then is ``pkt``, changed), else None."""
        key = (pkt.src, pkt.dst, pkt.ident, pkt.proto, user)
        queue = self.queues.setdefault(key, Queue(now))
        payload = bytes(pkt.data[pkt.l4 : pkt.length])
        if pkt.mf:
            payload = payload[: len(payload) & ~7]
        if not queue.fits(pkt.frag_offset + len(payload), pkt.mf) or not payload:
            del self.queues[key]
            return None
        kind = queue.insert(pkt.frag_offset, payload)
        if kind == "overlap":
            del self.queues[key]  # an attack: all of it goes
        if kind != "new":
            return None
        queue.iif = pkt.iif
        queue.ecn |= 1 << (pkt.tos & 3)
        size = pkt.l4 + len(payload)
        queue.largest = max(queue.largest, size)
        if pkt.df:
            queue.largest_df = max(queue.largest_df, size)
        if pkt.frag_offset == 0:
            queue.first = pkt.copy()
        else:
            queue.shortest = min(queue.shortest, pkt.l4)
        if queue.first is None or not queue.complete:
            return None
        del self.queues[key]
        pkt.ignore_df = user != "local"
        return self._whole(queue, queue.first, pkt)

    @staticmethod
    def _whole(queue: Queue, first: Packet, pkt: Packet) -> Packet | None:
        ecn = ECN_MIX[queue.ecn]
        data = first.data[: first.l4] + queue.joined()
        if ecn is None or len(data) > LARGEST:
            return None
        data[1] |= ecn
        data[2:4] = len(data).to_bytes(2, "big")
        data[6:8] = b"\x40\0" if queue.largest_df == queue.largest else b"\0\0"
        for name in ("mark", "eth", "pkttype", "priority", "ip_options"):
            setattr(pkt, name, getattr(first, name))
        pkt.data = data
        pkt.refresh_ip_checksum()
        pkt.frag_df = queue.largest_df == queue.largest
        pkt.frag_max = max(queue.largest, queue.largest_df)
        # the first one's options have to fit in front of the others when they are sent again
        pkt.frag_sizes = queue.sizes() if queue.shortest >= first.l4 else ()
        pkt.pull(PULLED.get(pkt.proto, 0))
        return pkt


def split(pkt: Packet, mtu: int) -> list[bytes]:
    """The fragments of a packet (ip_do_fragment), in their order."""
    if pkt.frag_max and pkt.frag_max < mtu:
        mtu = pkt.frag_max
    head, body = bytearray(pkt.data[: pkt.l4]), bytes(pkt.data[pkt.l4 :])
    out, at = [], 0
    room = mtu - len(head)
    kept = _fit(pkt.frag_sizes, len(body), room)
    for size in pkt.frag_sizes if kept else _sizes(len(body), room):
        flags = (0x4000 if pkt.frag_df and not kept else 0) | (pkt.frag_offset + at) // 8
        if at + size < len(body) or pkt.mf:
            flags |= 0x2000
        head[2:4] = (len(head) + size).to_bytes(2, "big")
        head[6:8] = flags.to_bytes(2, "big")
        piece = Packet(bytes(head) + body[at : at + size])
        piece.refresh_ip_checksum()
        out.append(bytes(piece.data))
        if at == 0 and not pkt.frag_offset and pkt.ip_options is not None:  # a raw socket's have not been read
            _keep_copied_options(head)
        at += size
    return out


def _fit(sizes: tuple[int, ...], total: int, room: int) -> bool:
    """Whether the pieces can leave as they came."""
    return bool(sizes) and sum(sizes) == total and max(sizes) <= room and not any(s & 7 for s in sizes[:-1])


def _sizes(total: int, room: int) -> list[int]:
    """As few pieces as can be."""
    sizes, left = [], total
    while left:
        sizes.append(left if left <= room else room & ~7)
        left -= sizes[-1]
    return sizes


def _keep_copied_options(head: bytearray) -> None:
    """Blank the options that only the first fragment carries (ip_options_fragment)."""
    at = 20
    while at < len(head):
        if head[at] == END:
            return
        if head[at] == NOOP:
            at += 1
            continue
        size = head[at + 1] if at + 1 < len(head) else 0
        if size < 2 or size > len(head) - at:
            return
        if not head[at] & COPIED:
            head[at : at + size] = bytes((NOOP,)) * size
        at += size
