"""Helpers whose protocols are not known here: what they would look at has an unknown outcome.

Each test tells whether a packet says something that the kernel's helper acts on (kernel: nf_conntrack_sip.c,
nf_conntrack_pptp.c, nf_conntrack_sane.c, nf_conntrack_h323_main.c, nf_nat_snmp_basic_main.c).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.helpers.payload import direction_of, established, payload_of
from iptables_emu.conntrack.tuples import ORIGINAL
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import TCP, Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context

PPTP_HEADER = 12
PPTP_MAGIC = b"\x1a\x2b\x3c\x4d"
SANE_START = (7).to_bytes(4, "big")


def _pptp(conn: Conn, pkt: Packet, payload: bytes) -> bool:
    return established(pkt) and len(payload) >= PPTP_HEADER and payload[4:8] == PPTP_MAGIC


def _sane(conn: Conn, pkt: Packet, payload: bytes) -> bool:
    return established(pkt) and direction_of(pkt) == ORIGINAL and payload[:4] == SANE_START and len(payload) == 8


def _h323(conn: Conn, pkt: Packet, payload: bytes) -> bool:
    return bool(payload) and (pkt.proto != TCP or established(pkt))


def _translated(conn: Conn, pkt: Packet, payload: bytes) -> bool:
    return bool(conn.status & t.NAT_MASK)


ACTS: dict[str, Callable[[Conn, Packet, bytes], bool]] = {
    "pptp": _pptp, "sane": _sane, "Q.931": _h323, "RAS": _h323, "H.245": _h323,
    "snmp_trap": _translated,
}  # fmt: skip


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    return Verdict.UNKNOWN if ACTS[conn.helper](conn, pkt, payload_of(pkt)) else Verdict.ACCEPT
