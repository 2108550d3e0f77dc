"""FTP's helper: PORT, EPRT, 227 and 229 announce data connections (kernel: nf_conntrack_ftp.c, nf_nat_ftp.c)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.expect import Expectation
from iptables_emu.conntrack.helpers.payload import direction_of, established, mangle, payload_of, sequence_number
from iptables_emu.conntrack.tcp_segment import after
from iptables_emu.conntrack.tuples import ORIGINAL, REPLY, Tuple
from iptables_emu.engine.verdict import Verdict
from iptables_emu.model.address import parse_plain, show, uncompressed
from iptables_emu.packet.packet import TCP, Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context

NEWLINES_KEPT = 2
_PATTERNS = {ORIGINAL: ((b"port", "port"), (b"eprt", "eprt")), REPLY: ((b"227 ", "227"), (b"229 ", "229"))}
_NUMBER = re.compile(rb"\d*")
_SIX = re.compile(rb"(\d*),(\d*),(\d*),(\d*),(\d*),(\d*)")
_FOUR = re.compile(rb"(\d*)\.(\d*)\.(\d*)\.(\d*)")
_IPV6 = re.compile(rb"[0-9A-Fa-f:.]+")


@dataclass(frozen=True, slots=True)
class Announcement:
    """A data connection: address, port, and the text of both that NAT replaces."""

    address: int
    port: int
    start: int
    end: int
    kind: str


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    """Look at one segment of the control connection; only established ones count."""
    if not established(pkt):
        return Verdict.ACCEPT
    direction = direction_of(pkt)
    payload = payload_of(pkt)
    if not payload:
        return Verdict.ACCEPT
    seq = sequence_number(pkt)
    verdict = Verdict.ACCEPT
    if seq in conn.ftp_lines.get(direction, []):
        found = _announcement(payload, direction, conn)
        if found == "cut":
            return Verdict.DROP  # what it says is needed, and may come whole when it is sent again
        if isinstance(found, Announcement) and not _expect(core, conn, pkt, direction, found):
            verdict = Verdict.DROP
    # only what follows a whole line is looked at, so the place behind each line's end is remembered
    if payload.endswith(b"\n"):
        _remember(conn.ftp_lines.setdefault(direction, []), seq + len(payload) & 0xFFFFFFFF)
    return verdict


def _remember(known: list[int], end: int) -> None:
    """The place behind a line's end; a later one takes the place of the earliest (update_nl_seq)."""
    if end in known:
        return
    if len(known) < NEWLINES_KEPT:
        known.append(end)
        return
    earliest = 0 if after(known[1], known[0]) else 1
    if after(end, known[earliest]):
        known[earliest] = end


def _announcement(payload: bytes, direction: int, conn: Conn) -> Announcement | Literal["cut"] | None:
    """What a line announces; "cut" where it begins as one that does and cannot be read (find_pattern)."""
    low = payload.lower()
    for pattern, kind in _PATTERNS[direction]:
        if not low.startswith(pattern[: len(low)]):
            continue
        if len(low) <= len(pattern):
            return "cut"
        return _read(payload, len(pattern), kind, conn.tuples[direction]) or "cut"
    return None


def _read(data: bytes, at: int, kind: str, mine: Tuple) -> Announcement | None:
    if kind != "227":
        skip = b"(" if kind == "229" else b" "
        at = data.find(skip, at) + 1
        # what is skipped to must not be the last byte
        if not at or at >= len(data):
            return None
    if kind in ("port", "227"):
        return _six(data, at, kind, mine)
    delimiter = data[at : at + 1]
    if len(data) - at <= 3 or delimiter.isdigit() or not 33 <= delimiter[0] <= 126:
        return None
    if kind == "229":
        return _port(data, at + 3, at, delimiter, mine.src, kind) if data[at : at + 3] == delimiter * 3 else None
    if data[at + 1 : at + 3] != (b"1" if mine.family == 4 else b"2") + delimiter:
        return None
    found = (_FOUR if mine.family == 4 else _IPV6).match(data, at + 3)
    if found is None or data[found.end() : found.end() + 1] != delimiter:
        return None
    address = _joined(found) if mine.family == 4 else parse_plain(found[0].decode(), 6)
    return None if address is None else _port(data, found.end() + 1, at, delimiter, address, kind)


def _port(data: bytes, at: int, start: int, delimiter: bytes, address: int, kind: str) -> Announcement | None:
    digits = _NUMBER.match(data, at)
    end = digits.end() if digits else at
    port = int(data[at:end] or 0) & 0xFFFF
    if not port or data[end : end + 1] != delimiter:
        return None
    return Announcement(address, port, start, end + 1, kind)


def _six(data: bytes, at: int, kind: str, mine: Tuple) -> Announcement | None:
    """Address and port in six numbers; those of a PORT end the line."""
    if kind == "227":
        digit = re.compile(rb"\d").search(data, at)
        at = digit.start() if digit else len(data)
    found = _SIX.match(data, at)
    if found is None or found.end() >= len(data) or (kind == "port" and data[found.end() : found.end() + 1] != b"\r"):
        return None
    if kind == "227" and data[found.end() : found.end() + 1] == b",":
        return None
    port = int(found[5] or 0) << 8 | int(found[6] or 0)
    address = _joined(found)
    if mine.family == 6:  # it is put over the beginning of the sender's own
        address = address << 96 | mine.src & (1 << 96) - 1
    return Announcement(address, port & 0xFFFF, at, found.end(), kind)


def _joined(found: re.Match[bytes]) -> int:
    address = 0
    for number, shift in zip(found.groups(), (24, 16, 8, 0), strict=False):
        address |= int(number or 0) << shift
    return address & 0xFFFFFFFF


def _expect(core: Conntrack, conn: Conn, pkt: Packet, direction: int, told: Announcement) -> bool:
    """Announce the data connection, rewriting the command where the control connection is translated."""
    mine, peer = conn.tuples[direction], conn.tuples[1 - direction]
    if told.address != mine.src:
        return True  # somebody else's address: not believed (loose is off)
    expectation = Expectation(conn, pkt.family, peer.src, peer.dst, TCP, told.port, direction)
    if not conn.status & t.NAT_MASK:
        return core.expectations.add(expectation, core.now)
    expectation.saved_port, expectation.nat = told.port, True
    if not core.expectations.add_at_port(expectation, core.now, core.rng):
        return False
    mangle(conn, pkt, told.start, told.end, _spell(peer.dst, expectation.dport, told.kind, pkt.family))
    return True


def _spell(value: int, port: int, kind: str, family: int) -> bytes:
    if kind in ("port", "227"):
        first = value >> (0 if family == 4 else 96)
        return ",".join(map(str, (*first.to_bytes(4, "big"), port >> 8, port & 255))).encode()
    if kind == "eprt":
        return f"|{1 if family == 4 else 2}|{show(value, 4) if family == 4 else uncompressed(value)}|{port}|".encode()
    return f"|||{port}|".encode()
