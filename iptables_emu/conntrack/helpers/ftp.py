"""FTP's helper: PORT, EPRT, 227 and 229 announce data connections (kernel: nf_conntrack_ftp.c, nf_nat_ftp.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.expect import Expectation
from iptables_emu.conntrack.helpers.payload import direction_of, established, mangle, payload_of
from iptables_emu.conntrack.tuples import ORIGINAL
from iptables_emu.engine.verdict import Verdict
from iptables_emu.model.address import parse_plain, show
from iptables_emu.packet.packet import TCP, Packet

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
    if not established(pkt):
        return Verdict.ACCEPT
    direction = direction_of(pkt)
    payload = payload_of(pkt)
    if not payload:
        return Verdict.ACCEPT
    seq = int.from_bytes(pkt.data[pkt.l4 + 4 : pkt.l4 + 8], "big")
    known = conn.ftp_lines.get(direction, [])
    if seq in known:
        found = _announcement(payload, direction, conn)
        if found is not None and not _expect(core, conn, pkt, direction, found):
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


def _expect(core: Conntrack, conn: Conn, pkt: Packet, direction: int, told: Announcement) -> bool:
    """Announce the data connection, rewriting the command where the control connection is translated."""
    value, port, start, end, kind = told
    mine, peer = conn.tuples[direction], conn.tuples[1 - direction]
    if value != mine.src:
        return True  # somebody else's address: not believed (loose is off)
    expectation = Expectation(conn, pkt.family, peer.src, peer.dst, TCP, port, direction)
    if not conn.status & t.NAT_MASK:
        expectation.dst = value
        return core.expectations.add(expectation, core.now)
    expectation.saved_port, expectation.nat = port, True
    if not core.expectations.add_at_port(expectation, core.now, core.rng):
        return False
    mangle(conn, pkt, start, end, _spell(peer.dst, expectation.dport, kind, pkt.family))
    return True


def _spell(value: int, port: int, kind: str, family: int) -> bytes:
    if kind in ("port", "227"):
        return ",".join(map(str, (*value.to_bytes(4, "big"), port >> 8, port & 255))).encode()
    if kind == "eprt":
        return f"|{1 if family == 4 else 2}|{show(value, family)}|{port}|".encode()
    return f"|||{port}|".encode()
