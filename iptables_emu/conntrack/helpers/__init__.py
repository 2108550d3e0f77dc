"""Helpers: what a connection says of connections to come. Each is imported when it is first asked."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.expect import Expectation
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.context import Context
    from iptables_emu.engine.verdict import Verdict
    from iptables_emu.packet.packet import Packet

    Helper = Callable[[Conntrack, Conn, Packet, Context], Verdict]

# where a helper's help_packet is
MODULES = {
    **{name: name for name in ("ftp", "tftp", "irc", "sip", "pptp", "sane", "amanda")}, "snmp_trap": "snmp",
    **dict.fromkeys(("netbios-ns", "snmp"), "broadcast"), **dict.fromkeys(("Q.931", "RAS", "H.245"), "unknown"),
}  # fmt: skip
# ... where it arranges what it has announced, when that comes, and where it looks after a connection that is no more
_ARRIVED = {"pptp": "pptp", "sip": "sip_nat"}
_DESTROYED = {"pptp": "pptp"}


def helper_of(name: str) -> Helper | None:
    """What looks at a packet of a connection with this helper, if there is such a helper."""
    look: Helper | None = _found(MODULES, name, "help_packet")
    return look


def arrived(core: Conntrack, conn: Conn, expectation: Expectation) -> None:
    """A connection has come that its master's helper arranges itself."""
    arrange = _found(_ARRIVED, expectation.master.helper, "arrived")
    if arrange is not None:
        arrange(core, conn, expectation)


def destroyed(core: Conntrack, conn: Conn) -> None:
    """A connection with a helper is no more."""
    forget = _found(_DESTROYED, conn.helper, "forget")
    if forget is not None:
        forget(core, conn)


def _found(modules: dict[str, str], name: str, function: str) -> Any:
    module = modules.get(name)
    return None if module is None else getattr(import_module(f"{__name__}.{module}"), function)
