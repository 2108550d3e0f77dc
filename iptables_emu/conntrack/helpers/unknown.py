"""Helpers whose protocols are not known here: what they would look at has an unknown outcome.

Each test tells whether a packet says something that the kernel's helper acts on (kernel: nf_conntrack_sip.c,
nf_conntrack_pptp.c, nf_conntrack_sane.c, nf_conntrack_h323_main.c, nf_nat_snmp_basic_main.c).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.helpers.payload import established, payload_of
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import TCP, Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context


def _h323(conn: Conn, pkt: Packet, payload: bytes) -> bool:
    return bool(payload) and (pkt.proto != TCP or established(pkt))


def _translated(conn: Conn, pkt: Packet, payload: bytes) -> bool:
    return bool(conn.status & t.NAT_MASK)


ACTS: dict[str, Callable[[Conn, Packet, bytes], bool]] = {
    "Q.931": _h323, "RAS": _h323, "H.245": _h323,
    "snmp_trap": _translated,
}  # fmt: skip


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    return Verdict.UNKNOWN if ACTS[conn.helper](conn, pkt, payload_of(pkt)) else Verdict.ACCEPT
