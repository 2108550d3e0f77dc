"""SANE's helper: a scanner names the port of its data connection (kernel: nf_conntrack_sane.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack.expect import Expectation
from iptables_emu.conntrack.helpers.payload import direction_of, established, payload_of
from iptables_emu.conntrack.tuples import ORIGINAL
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import TCP, Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context

NET_START = (7).to_bytes(4, "big")
REQUEST, REPLY = 8, 8  # bytes that are looked at
SUCCESS_AND_ZERO = bytes(6)


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    """The reply to NET_START says where the client shall connect to; no translation follows."""
    payload = payload_of(pkt)
    if not established(pkt) or not payload:
        return Verdict.ACCEPT
    state = conn.helper_state
    if direction_of(pkt) == ORIGINAL:
        if len(payload) == REQUEST:
            state.scan = payload.startswith(NET_START)
        return Verdict.ACCEPT
    asked, state.scan = state.scan, False
    if not asked or len(payload) < REPLY or not payload.startswith(SUCCESS_AND_ZERO):
        return Verdict.ACCEPT
    ends = conn.original
    port = int.from_bytes(payload[6:8], "big")
    expectation = Expectation(conn, ends.family, ends.src, ends.dst, TCP, port)
    return Verdict.ACCEPT if core.expectations.add(expectation, core.now) else Verdict.DROP
