"""TFTP's helper: the answer to a request comes from another port (kernel: nf_conntrack_tftp.c, nf_nat_tftp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.expect import Expectation
from iptables_emu.conntrack.helpers.payload import payload_of
from iptables_emu.conntrack.tuples import ORIGINAL
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import UDP, Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context

READ, WRITE = 1, 2
HEADER = 2


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    """A read or write request announces the transfer: server's address, any port, to the client's port."""
    head = payload_of(pkt)[:HEADER]
    if len(head) < HEADER or int.from_bytes(head, "big") not in (READ, WRITE):
        return Verdict.ACCEPT
    reply = conn.reply
    expectation = Expectation(conn, pkt.family, reply.src, reply.dst, UDP, reply.dport, ORIGINAL)
    if conn.status & t.NAT_MASK:
        expectation.nat, expectation.saved_port = True, conn.original.sport
    return Verdict.ACCEPT if core.expectations.add(expectation, core.now) else Verdict.DROP
