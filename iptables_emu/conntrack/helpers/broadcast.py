"""Helpers of questions to everybody: NetBIOS names, SNMP (kernel: nf_conntrack_broadcast.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack.expect import Expectation
from iptables_emu.conntrack.helpers import snmp
from iptables_emu.conntrack.helpers.payload import direction_of
from iptables_emu.conntrack.tuples import ORIGINAL
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import UDP, Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context

# helper: (its port, seconds)
SERVICES = {"netbios-ns": (137, 3), "snmp": (161, 30)}


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    """What this host asks a whole network, every host there may answer."""
    _expect(core, conn, pkt, ctx)
    return snmp.help_packet(core, conn, pkt, ctx) if conn.helper == "snmp" else Verdict.ACCEPT


def _expect(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> None:
    if not pkt.socket or direction_of(pkt) != ORIGINAL or pkt.family != 4:
        return
    interface = ctx.host.interfaces.get(ctx.oif)
    if interface is None:
        return
    for address in interface.addresses:
        if address.family != 4 or address.plen > 30:
            continue
        mask = (0xFFFFFFFF << (32 - address.plen)) & 0xFFFFFFFF
        if address.value | ~mask & 0xFFFFFFFF == pkt.dst:
            port, seconds = SERVICES[conn.helper]
            reply = conn.reply
            core.expectations.add(
                Expectation(conn, 4, reply.src, reply.dst, UDP, reply.dport, seconds=seconds, sport=port,
                            src_mask=mask, permanent=True), core.now,
            )  # fmt: skip
            core.refresh(conn, seconds)
            break
