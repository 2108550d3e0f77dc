"""H.323's helpers, whose protocols are not known here: what they would look at has an unknown outcome
(kernel: nf_conntrack_h323_main.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack.helpers.payload import established, payload_of
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import TCP, Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context


def help_packet(core: Conntrack, conn: Conn, pkt: Packet, ctx: Context) -> Verdict:
    """They look at whatever has a payload."""
    looks = bool(payload_of(pkt)) and (pkt.proto != TCP or established(pkt))
    return Verdict.UNKNOWN if looks else Verdict.ACCEPT
