"""Amanda's helper: the client names the ports of its streams (kernel: nf_conntrack_amanda.c, nf_nat_amanda.c)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.expect import Expectation
from iptables_emu.conntrack.helpers.payload import direction_of, mangle, payload_of
from iptables_emu.conntrack.tuples import ORIGINAL, REPLY
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import TCP, Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context

MASTER_SECONDS = 300
STREAM_SECONDS = 180
STREAMS = (b"DATA ", b"MESG ", b"INDEX ", b"STATE ")
_DIGITS = re.compile(rb"\d*")


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    """A reply with CONNECT names up to four TCP ports."""
    if direction_of(pkt) == ORIGINAL:
        return Verdict.ACCEPT
    core.refresh(conn, MASTER_SECONDS)
    at = payload_of(pkt).find(b"CONNECT ")
    if at < 0 or payload_of(pkt).find(b"\n", at + 8) < 0:
        return Verdict.ACCEPT
    start = at + 8
    stop = payload_of(pkt).index(b"\n", start)  # as it stood before any rewriting
    for stream in STREAMS:
        payload = payload_of(pkt)
        found = payload.find(stream, start, stop + len(stream) - 1)
        if not start <= found <= stop:
            continue
        digits = found + len(stream)
        number = _DIGITS.match(payload, digits, min(digits + 5, max(stop, digits)))
        assert number is not None  # it may be empty
        port = int(number[0] or 0) & 0xFFFF
        if not port:
            break
        verdict = _expect(core, conn, pkt, port, number.span())
        if verdict is not Verdict.ACCEPT:
            return verdict
    return Verdict.ACCEPT


def _expect(core: Conntrack, conn: Conn, pkt: Packet, port: int, span: tuple[int, int]) -> Verdict:
    original = conn.original
    expectation = Expectation(
        conn, pkt.family, original.src, original.dst, TCP, port, REPLY, STREAM_SECONDS, most=len(STREAMS)
    )
    if not conn.status & t.NAT_MASK:
        return Verdict.ACCEPT if core.expectations.add(expectation, core.now) else Verdict.DROP
    expectation.nat, expectation.saved_port = True, port
    if not core.expectations.add_at_port(expectation, core.now, core.rng):
        return Verdict.DROP
    mangle(conn, pkt, *span, b"%d" % expectation.dport)
    return Verdict.ACCEPT
