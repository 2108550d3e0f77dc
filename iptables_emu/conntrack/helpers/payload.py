"""What helpers do to payloads (kernel: nf_nat_helper.c, nf_conntrack_seqadj.c)."""

from __future__ import annotations

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.table import Conn
from iptables_emu.conntrack.tcp_segment import after
from iptables_emu.conntrack.tuples import ORIGINAL, REPLY
from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.packet import TCP, UDP, Packet, pseudo_header

UDP_HEADER = 8


def direction_of(pkt: Packet) -> int:
    return REPLY if pkt.ctinfo >= t.IS_REPLY else ORIGINAL


def established(pkt: Packet) -> bool:
    return pkt.ctinfo in (t.ESTABLISHED, t.ESTABLISHED_REPLY)


def payload_at(pkt: Packet) -> int:
    """Where the payload of a TCP or UDP packet begins."""
    return pkt.l4 + ((pkt.data[pkt.l4 + 12] >> 4) * 4 if pkt.proto == TCP else UDP_HEADER)


def payload_of(pkt: Packet) -> bytes:
    return bytes(pkt.data[payload_at(pkt) : pkt.length])


def mangle(
    conn: Conn, pkt: Packet, start: int, end: int, text: bytes, *, shifts: bool = True, layout: int | None = None
) -> None:
    """Replace a part of the payload; where that changes a TCP segment's length, later numbers shift.

    ``shifts``: whether that is done here; ``layout``: as which protocol the header is taken, if not as its own.
    """
    proto = layout or pkt.proto
    begin = payload_at(pkt)
    data = bytearray(pkt.data[: pkt.length])
    data[begin + start : begin + end] = text
    if pkt.family == 4:
        data[2:4] = len(data).to_bytes(2, "big")
    else:
        data[4:6] = (len(data) - 40).to_bytes(2, "big")
    if proto == UDP:
        data[pkt.l4 + 4 : pkt.l4 + 6] = (len(data) - pkt.l4).to_bytes(2, "big")
    place = pkt.l4 + (16 if proto == TCP else 6)
    if proto == TCP or data[place : place + 2] != b"\0\0":
        data[place : place + 2] = b"\0\0"
        segment = bytes(data[pkt.l4 :])
        check = internet_checksum(pseudo_header(pkt.family, pkt.src, pkt.dst, proto, len(segment)) + segment)
        data[place : place + 2] = (check or (0xFFFF if proto == UDP else 0)).to_bytes(2, "big")
        pkt.pending_checksum = True
    seq = sequence_number(pkt)
    pkt.replace(bytes(data))
    pkt.refresh_ip_checksum()
    if shifts and proto == TCP:
        shift_numbers(conn, pkt, len(text) - (end - start), seq)


def sequence_number(pkt: Packet) -> int:
    return int.from_bytes(pkt.data[pkt.l4 + 4 : pkt.l4 + 8], "big")


def shift_numbers(conn: Conn, pkt: Packet, shift: int, seq: int | None = None) -> None:
    """A TCP segment has become longer: so do the numbers of what follows (nf_ct_seqadj_set)."""
    if not shift or pkt.proto != TCP:
        return
    seq = sequence_number(pkt) if seq is None else seq
    direction = direction_of(pkt)
    at, earlier, later = conn.seq_offsets[direction]
    if earlier == later or after(seq, at):  # else it is sent again
        conn.seq_offsets[direction] = (seq, later, later + shift)
    conn.status |= t.SEQ_ADJUST


def adjust(conn: Conn, pkt: Packet) -> None:
    """Shift sequence and acknowledgement numbers of a connection whose payload was rewritten (nf_ct_seq_adjust)."""
    if not conn.status & t.SEQ_ADJUST or pkt.proto != TCP or pkt.frag_offset or len(pkt.data) - pkt.l4 < 20:
        return
    direction = direction_of(pkt)
    seq = int.from_bytes(pkt.data[pkt.l4 + 4 : pkt.l4 + 8], "big")
    ack = int.from_bytes(pkt.data[pkt.l4 + 8 : pkt.l4 + 12], "big")
    at, earlier, later = conn.seq_offsets[direction]
    mine = later if after(seq, at) else earlier
    at, earlier, later = conn.seq_offsets[1 - direction]
    theirs = later if after(ack - earlier & 0xFFFFFFFF, at) else earlier
    if mine:
        pkt.set_l4(4, (seq + mine & 0xFFFFFFFF).to_bytes(4, "big"))
    if theirs and pkt.data[pkt.l4 + 13] & 16:
        pkt.set_l4(8, (ack - theirs & 0xFFFFFFFF).to_bytes(4, "big"))
