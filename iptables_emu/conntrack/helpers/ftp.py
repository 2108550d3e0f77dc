"""FTP's helper: PORT, EPRT, 227 and 229 announce data connections (kernel: nf_conntrack_ftp.c, nf_nat_ftp.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.expect import LIFE_NS, Expectation
from iptables_emu.conntrack.tuples import ORIGINAL, REPLY
from iptables_emu.engine.verdict import Verdict
from iptables_emu.model.address import parse_plain, show
from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.packet import TCP, Packet, pseudo_header

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context

NEWLINES_KEPT = 2
# (address, port, start, end of the text to replace, kind) of a data connection
Announcement = tuple[int, int, int, int, str]
_SIX = rb"(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})"
_PORT = re.compile(rb"PORT " + _SIX + rb"\r", re.I)
_PASV = re.compile(rb"227 [^\n]*?" + _SIX, re.I)
_EPRT = re.compile(rb"EPRT (.)([12])\1([0-9A-Fa-f.:]+)\1(\d{1,5})\1", re.I)
_EPSV = re.compile(rb"229 [^\n]*?\((.)\1\1(\d{1,5})\1\)", re.I)


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    """Look at one segment of the control connection; only established ones count."""
    if pkt.ctinfo not in (t.ESTABLISHED, t.ESTABLISHED_REPLY):
        return Verdict.ACCEPT
    direction = REPLY if pkt.ctinfo >= t.IS_REPLY else ORIGINAL
    header = pkt.l4 + (pkt.data[pkt.l4 + 12] >> 4) * 4
    payload = bytes(pkt.data[header : pkt.length])
    if not payload:
        return Verdict.ACCEPT
    seq = int.from_bytes(pkt.data[pkt.l4 + 4 : pkt.l4 + 8], "big")
    known = conn.ftp_lines.get(direction, [])
    if seq in known:
        found = _announcement(payload, direction, conn)
        if found is not None and not _expect(core, conn, pkt, direction, header, found):
            return Verdict.DROP
    # only what follows a whole line is looked at, so the place behind each line's end is remembered
    if payload.endswith(b"\n"):
        end = seq + len(payload) & 0xFFFFFFFF
        if end not in known:
            conn.ftp_lines[direction] = [*known, end][-NEWLINES_KEPT:]
    return Verdict.ACCEPT


def _announcement(payload: bytes, direction: int, conn: Conn) -> Announcement | None:
    """(address, port, start, end of the text to replace, kind) of an announced data connection."""
    if direction == ORIGINAL:
        found = _PORT.match(payload)
        if found:
            return _six(found, "port")
        found = _EPRT.match(payload)
        if found:
            value = parse_plain(found.group(3).decode(), 4 if found.group(2) == b"1" else 6)
            port = int(found.group(4))
            if value is not None and 0 < port < 65536:
                return value, port, found.start(1), found.end(), "eprt"
        return None
    found = _PASV.match(payload)
    if found:
        return _six(found, "227")
    found = _EPSV.match(payload)
    if found and 0 < int(found.group(2)) < 65536:
        return conn.tuples[direction].src, int(found.group(2)), found.start(1), found.end() - 1, "229"
    return None


def _six(found: re.Match[bytes], kind: str) -> Announcement | None:
    numbers = [int(n) for n in found.groups()]
    if max(numbers) > 255:
        return None
    value = int.from_bytes(bytes(numbers[:4]), "big")
    return value, numbers[4] << 8 | numbers[5], found.start(1), found.end(6), kind


def _expect(core: Conntrack, conn: Conn, pkt: Packet, direction: int, header: int, told: Announcement) -> bool:
    """Announce the data connection, rewriting the command where the control connection is translated."""
    value, port, start, end, kind = told
    mine = conn.tuples[direction]
    if value != mine.src:
        return True  # somebody else's address: not believed (loose is off)
    peer = conn.tuples[1 - direction]
    expectation = Expectation(conn, pkt.family, mine.dst if direction == REPLY else peer.src, peer.dst, TCP, port,
                              direction, core.now + LIFE_NS)  # fmt: skip
    expectation.src = conn.tuples[1 - direction].src
    if not conn.status & t.NAT_MASK:
        expectation.dst = value
        return core.expectations.add(expectation) or True
    expectation.saved_dst, expectation.saved_port, expectation.nat = value, port, True
    for number in range(port, 65536):
        expectation.dport = number
        if core.expectations.add(expectation):
            break
    else:
        return False
    text = _spell(peer.dst, expectation.dport, kind, pkt.family)
    _mangle(conn, pkt, direction, header, start, end, text)
    return True


def _spell(value: int, port: int, kind: str, family: int) -> bytes:
    if kind in ("port", "227"):
        return ",".join(map(str, (*value.to_bytes(4, "big"), port >> 8, port & 255))).encode()
    if kind == "eprt":
        return f"|{1 if family == 4 else 2}|{show(value, family)}|{port}|".encode()
    return f"|||{port}|".encode()


def _mangle(conn: Conn, pkt: Packet, direction: int, header: int, start: int, end: int, text: bytes) -> None:
    """Replace part of the payload (nf_nat_mangle_tcp_packet); later sequence numbers shift."""
    data = bytearray(pkt.data[: pkt.length])
    seq = int.from_bytes(data[pkt.l4 + 4 : pkt.l4 + 8], "big")
    data[header + start : header + end] = text
    if pkt.family == 4:
        data[2:4] = len(data).to_bytes(2, "big")
    else:
        data[4:6] = (len(data) - 40).to_bytes(2, "big")
    data[pkt.l4 + 16 : pkt.l4 + 18] = b"\0\0"
    segment = bytes(data[pkt.l4 :])
    check = internet_checksum(pseudo_header(pkt.family, pkt.src, pkt.dst, TCP, len(segment)) + segment)
    data[pkt.l4 + 16 : pkt.l4 + 18] = check.to_bytes(2, "big")
    pkt.replace(bytes(data))
    pkt.refresh_ip_checksum()
    shift = len(text) - (end - start)
    if shift:
        _at, _earlier, later = conn.seq_offsets[direction]
        conn.seq_offsets[direction] = (seq, later, later + shift)
        conn.status |= t.SEQ_ADJUST


def adjust(core: Conntrack, conn: Conn, pkt: Packet) -> None:
    """Shift sequence and acknowledgement numbers of a connection whose payload was rewritten (nf_ct_seq_adjust)."""
    if not conn.status & t.SEQ_ADJUST or pkt.proto != TCP or pkt.frag_offset or len(pkt.data) - pkt.l4 < 20:
        return
    direction = REPLY if pkt.ctinfo >= t.IS_REPLY else ORIGINAL
    seq = int.from_bytes(pkt.data[pkt.l4 + 4 : pkt.l4 + 8], "big")
    ack = int.from_bytes(pkt.data[pkt.l4 + 8 : pkt.l4 + 12], "big")
    mine = core.seq_offset(conn, direction, seq)
    at, earlier, later = conn.seq_offsets[1 - direction]
    from iptables_emu.conntrack.tcp import after

    theirs = later if after(ack - earlier & 0xFFFFFFFF, at) else earlier
    if mine:
        pkt.set_l4(4, (seq + mine & 0xFFFFFFFF).to_bytes(4, "big"))
    if theirs and pkt.data[pkt.l4 + 13] & 16:
        pkt.set_l4(8, (ack - theirs & 0xFFFFFFFF).to_bytes(4, "big"))
