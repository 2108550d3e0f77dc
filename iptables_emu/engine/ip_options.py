"""IPv4 options: read at input, completed on forwarding, echoed in answers (kernel: ip_options.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.packet import ICMP, Packet

END, NOOP, RECORD_ROUTE, TIMESTAMP, LOOSE, STRICT, CIPSO, ROUTER_ALERT = 0, 1, 7, 68, 131, 137, 134, 148
TIMES, TIMES_AND_ADDRESSES, PRESPECIFIED = 0, 1, 3
LONGEST_ERROR = 576
SHORTEST_CIPSO = 8

IsUnicast = Callable[[int], bool]


@dataclass(slots=True)
class IpOptions:
    """Where the options stand, counted from the IP header (0: not there), and what they want of this host."""

    rr: int = 0
    ts: int = 0
    srr: int = 0
    cipso: int = 0
    rr_needaddr: bool = False
    ts_needaddr: bool = False
    ts_needtime: bool = False


class BadOption(Exception):
    """``pointer``: the place of the fault, as the parameter problem tells it; ``found``: what stood before it."""

    def __init__(self, pointer: int) -> None:
        super().__init__(pointer)
        self.pointer = pointer
        self.found = IpOptions()


def read(pkt: Packet, own: int, now_ms: int, unicast: IsUnicast) -> IpOptions:
    """The options of a packet that came in, which are filled in as far as it can be done yet (ip_options_compile).

    ``own`` is this host's address for the packet; the header checksum is left as it was.  Raises BadOption.
    """
    found = IpOptions()
    try:
        _walk(pkt, found, own, now_ms, unicast)
    except BadOption as bad:
        bad.found = found
        raise
    return found


def _walk(pkt: Packet, found: IpOptions, own: int, now_ms: int, unicast: IsUnicast) -> None:
    data, at, end = pkt.data, 20, pkt.l4
    while at < end:
        kind = data[at]
        if kind == END:
            data[at:end] = bytes(end - at)
            break
        if kind == NOOP:
            at += 1
            continue
        size = data[at + 1] if at + 1 < end else 0
        if size < 2 or size > end - at:
            raise BadOption(at)
        if kind in (LOOSE, STRICT):
            _source_route(data, at, size, found)
        elif kind == RECORD_ROUTE:
            _record_route(data, at, size, found, own)
        elif kind == TIMESTAMP:
            _timestamp(data, at, size, found, own, now_ms, unicast)
        elif kind == ROUTER_ALERT and size < 4:
            raise BadOption(at + 1)
        elif kind == CIPSO:
            if found.cipso:
                raise BadOption(at)
            found.cipso = at
            raise BadOption(at + (1 if size < SHORTEST_CIPSO else 2))  # no label is known to this host
        at += size


def _source_route(data: bytearray, at: int, size: int, found: IpOptions) -> None:
    if size < 3:
        raise BadOption(at + 1)
    if data[at + 2] < 4:
        raise BadOption(at + 2)
    if found.srr:
        raise BadOption(at)
    found.srr = at


def _record_route(data: bytearray, at: int, size: int, found: IpOptions, own: int) -> None:
    if found.rr:
        raise BadOption(at)
    if size < 3:
        raise BadOption(at + 1)
    if data[at + 2] < 4:
        raise BadOption(at + 2)
    if data[at + 2] <= size:
        if data[at + 2] + 3 > size:
            raise BadOption(at + 2)
        _put(data, at + data[at + 2] - 1, own)
        data[at + 2] += 4
        found.rr_needaddr = True
    found.rr = at


def _timestamp(
    data: bytearray, at: int, size: int, found: IpOptions, own: int, now_ms: int, unicast: IsUnicast
) -> None:
    if found.ts:
        raise BadOption(at)
    if size < 4:
        raise BadOption(at + 1)
    pointer, kind = data[at + 2], data[at + 3] & 15
    if pointer < 5:
        raise BadOption(at + 2)
    if pointer <= size:
        if pointer + (7 if kind in (TIMES_AND_ADDRESSES, PRESPECIFIED) else 3) > size:
            raise BadOption(at + 2)
        place = at + pointer - 1
        if kind == TIMES:
            _put(data, place, now_ms)
            found.ts_needtime = True
            data[at + 2] += 4
        elif kind == TIMES_AND_ADDRESSES:
            _put(data, place, own)
            _put(data, place + 4, now_ms)
            found.ts_needaddr = found.ts_needtime = True
            data[at + 2] += 8
        elif kind == PRESPECIFIED and not unicast(int.from_bytes(data[place : place + 4], "big")):
            _put(data, place + 4, now_ms)
            found.ts_needtime = True
            data[at + 2] += 8
    elif kind != PRESPECIFIED:
        if data[at + 3] >> 4 == 15:
            raise BadOption(at + 3)
        data[at + 3] += 16
    found.ts = at


def _put(data: bytearray, at: int, value: int) -> None:
    data[at : at + 4] = value.to_bytes(4, "big")


def forwarded(pkt: Packet, options: IpOptions, own: int) -> None:
    """Put in the address of the way out (ip_forward_options)."""
    if options.rr_needaddr:
        _put(pkt.data, options.rr + pkt.data[options.rr + 2] - 5, own)
    if options.ts_needaddr:
        _put(pkt.data, options.ts + pkt.data[options.ts + 2] - 9, own)
    pkt.refresh_ip_checksum()


def of_answer(cause: Packet, options: IpOptions) -> IpOptions:
    """The options of an answer that echoes another packet's: an error about it echoes them again."""

    def open_at(at: int) -> bool:
        return bool(at) and cause.data[at + 2] <= cause.data[at + 1]

    out, at = IpOptions(), 20
    for name in ("rr", "ts", "cipso"):
        stood = getattr(options, name)
        if stood:
            setattr(out, name, at)
            at += cause.data[stood + 1]
    out.rr_needaddr = options.rr_needaddr and open_at(options.rr)
    out.ts_needaddr = options.ts_needaddr and open_at(options.ts)
    out.ts_needtime = options.ts_needtime and open_at(options.ts)
    return out


def echoed(
    cause: Packet, options: IpOptions, answer: bytes, now_ms: int, unicast: IsUnicast, longest: int = LONGEST_ERROR
) -> bytes | None:
    """An answer with the options of the packet that it answers (ip_options_echo); None when it cannot be made.

    ``longest``: of an ICMP error.
    """
    source, out = cause.data, bytearray()
    own = int.from_bytes(answer[12:16], "big")
    if options.rr:
        size, pointer = source[options.rr + 1], source[options.rr + 2]
        piece = bytearray(source[options.rr : options.rr + size])
        if options.rr_needaddr and pointer <= size:
            if pointer + 3 > size:
                return None
            piece[2] = pointer + 4
            _put(piece, pointer - 1, own)
        out += piece
    if options.ts:
        echo = _echoed_times(source, options, own, now_ms, unicast)
        if echo is None:
            return None
        out += echo
    if options.cipso:
        out += source[options.cipso : options.cipso + source[options.cipso + 1]]
    out += bytes(-len(out) % 4)
    if not out:
        return answer
    return _with_options(answer, bytes(out), longest)


def _echoed_times(source: bytearray, options: IpOptions, own: int, now_ms: int, unicast: IsUnicast) -> bytearray | None:
    size, pointer = source[options.ts + 1], source[options.ts + 2]
    piece = bytearray(source[options.ts : options.ts + size])
    if pointer > size:
        return piece
    need_address = need_time = False
    if options.ts_needaddr:
        if pointer + 3 > size:
            return None
        need_address = True
        pointer += 4
    if options.ts_needtime:
        if pointer + 3 > size:
            return None
        if piece[3] & 15 != PRESPECIFIED:
            need_time = True
            pointer += 4
        elif pointer + 7 <= size and not unicast(int.from_bytes(piece[pointer - 1 : pointer + 3], "big")):
            need_time = True
            pointer += 8
    piece[2] = pointer
    if need_address:
        _put(piece, pointer - 9, own)
    if need_time:
        _put(piece, pointer - 5, now_ms)
    return piece


def _with_options(answer: bytes, options: bytes, longest: int) -> bytes:
    body = bytearray(answer[20:])
    if answer[9] == ICMP and body[0] in (3, 4, 5, 11, 12):
        del body[longest - 20 - len(options) :]
        body[2:4] = b"\0\0"
        body[2:4] = internet_checksum(bytes(body)).to_bytes(2, "big")
    head = bytearray(answer[:20])
    head[0] = 0x45 + len(options) // 4
    head[2:4] = (20 + len(options) + len(body)).to_bytes(2, "big")
    out = Packet(bytes(head) + options + bytes(body))
    out.refresh_ip_checksum()
    return bytes(out.data)
