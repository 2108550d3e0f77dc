"""IRC's helper: DCC announces a direct connection (kernel: nf_conntrack_irc.c, nf_nat_irc.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.expect import Expectation
from iptables_emu.conntrack.helpers.payload import direction_of, established, mangle, payload_of
from iptables_emu.conntrack.tuples import ORIGINAL
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import TCP, Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context

MOST_CHANNELS = 8
SHORTEST_MESSAGE = 26  # " :", \1, the shortest command with its name, address and port
SHORTEST_TAIL = 12
COMMANDS = (b"SEND ", b"CHAT ", b"MOVE ", b"TSEND ", b"SCHAT ")
_NUMBERS = re.compile(rb"(\d*)( *)(\d*)")


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    """Look at what the client says; servers announce nothing."""
    if direction_of(pkt) != ORIGINAL or not established(pkt):
        return Verdict.ACCEPT
    payload = payload_of(pkt)
    message = _message(payload)
    if message < 0:
        return Verdict.ACCEPT
    for command in COMMANDS:
        if not payload.startswith(command, message):
            continue
        told = _address(payload, message + len(command))
        if told is None:
            continue
        address, port, start, end = told
        if address not in (conn.original.src, conn.reply.dst) or not port:
            continue  # forged
        expectation = Expectation(conn, pkt.family, None, conn.reply.dst, TCP, port, ORIGINAL, most=MOST_CHANNELS)
        if not conn.status & t.NAT_MASK:
            return Verdict.ACCEPT if core.expectations.add(expectation, core.now) else Verdict.DROP
        expectation.nat, expectation.saved_port = True, port
        if not core.expectations.add_at_port(expectation, core.now, core.rng):
            return Verdict.DROP
        mangle(conn, pkt, start, end, b"%d %d" % (conn.reply.dst, expectation.dport))
        return Verdict.ACCEPT
    return Verdict.ACCEPT


def _message(payload: bytes) -> int:
    """Where the DCC command of a PRIVMSG stands; -1 for none."""
    limit = len(payload)
    at = 0
    while at < limit - 10 and payload[at : at + 1] in (b" ", b"\r", b"\n"):
        at += 1
    if at < limit - 10:
        if payload[at : at + 8].upper() != b"PRIVMSG ":
            return -1
        at += 8
    colon = payload.find(b" :", at)
    if not 0 <= colon < limit - SHORTEST_MESSAGE:
        return -1
    return colon + 7 if payload.startswith(b"\1DCC ", colon + 2) else -1


def _address(payload: bytes, at: int) -> tuple[int, int, int, int] | None:
    """(address, port, start, end of both) behind the name in a DCC command."""
    space = payload.find(b" ", at)
    if space < 0 or (space > at and space > len(payload) - SHORTEST_TAIL):
        return None
    start = space + 1
    if payload.find(b"\n", start) < 0:
        return None
    found = _NUMBERS.match(payload, start)
    assert found is not None  # each part may be empty
    return int(found[1] or 0) & 0xFFFFFFFF, int(found[3] or 0) & 0xFFFF, start, found.end()
