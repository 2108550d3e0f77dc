"""Helpers: what a connection says of connections to come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from iptables_emu.conntrack.helpers import amanda, broadcast, ftp, irc, pptp, sane, sip, sip_nat, snmp, tftp, unknown
from iptables_emu.engine.verdict import Verdict
from iptables_emu.packet.packet import Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.expect import Expectation
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context

Helper = Callable[["Conntrack", "Conn", Packet, "Context"], Verdict]
HELPERS: dict[str, Helper] = {
    "ftp": ftp.help_packet,
    "tftp": tftp.help_packet,
    "irc": irc.help_packet,
    "sip": sip.help_packet,
    "pptp": pptp.help_packet,
    "sane": sane.help_packet,
    "snmp_trap": snmp.help_packet,
    "amanda": amanda.help_packet,
    **dict.fromkeys(broadcast.SERVICES, broadcast.help_packet),
    **dict.fromkeys(unknown.HELPERS, unknown.help_packet),
}
# how what a helper has announced is arranged when it comes
ARRIVED: dict[str, Callable[[Conntrack, Conn, Expectation], None]] = {"pptp": pptp.arrived, "sip": sip_nat.arrived}
# what is to be done when a helper's connection is no more
DESTROYED: dict[str, Callable[[Conntrack, Conn], None]] = {"pptp": pptp.forget}
