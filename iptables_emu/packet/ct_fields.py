"""What regions may ask of a packet's connection (kernel: nf_ct_get, xt_conntrack.c).

States are numbered by the bit that xt_conntrack gives them; a packet without a connection has only a state.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iptables_emu.packet.packet import Packet

INVALID, ESTABLISHED, RELATED, NEW, UNTRACKED = 0, 1, 2, 3, 8
STATE_NAMES = {INVALID: "INVALID", NEW: "NEW", RELATED: "RELATED", ESTABLISHED: "ESTABLISHED", UNTRACKED: "UNTRACKED"}
IS_REPLY = 3  # ctinfo from here on is the reply direction's
TEMPLATE_STATUS = 1 << 11 | 8  # IPS_TEMPLATE, IPS_CONFIRMED
SRC_NAT, DST_NAT = 16, 32  # IPS_SRC_NAT, IPS_DST_NAT


def _template(pkt: Packet) -> bool:
    """Whether a CT target has hung its template, a connection of zeros, on the packet and conntrack not taken it."""
    return pkt.ct is None and pkt.ct_template is not None


def ct_state(pkt: Packet) -> int:
    """The state word of ``--ctstate``."""
    if _template(pkt):
        return NEW
    if pkt.ct is None:
        return UNTRACKED if pkt.untracked else INVALID
    return pkt.ctinfo % IS_REPLY + 1


def ct_nat(pkt: Packet) -> int:
    """The SNAT and DNAT bits of the connection's status; none without a connection."""
    return pkt.ct.status & (SRC_NAT | DST_NAT) if pkt.ct is not None else 0


def ct_status(pkt: Packet) -> int | None:
    return pkt.ct.status if pkt.ct is not None else TEMPLATE_STATUS if _template(pkt) else None


def ct_mark(pkt: Packet) -> int | None:
    return pkt.ct.mark if pkt.ct is not None else 0 if _template(pkt) else None


def ct_proto(pkt: Packet) -> int | None:
    return pkt.ct.original.proto if pkt.ct is not None else 0 if _template(pkt) else None


def ct_direction(pkt: Packet) -> int | None:
    """0 original, 1 reply."""
    return int(pkt.ctinfo >= IS_REPLY) if pkt.ct is not None else 0 if _template(pkt) else None


def ct_tuple(direction: str, part: str) -> Callable[[Packet], int | None]:
    """Getter of one part (src, dst, sport, dport) of the ``original`` or ``reply`` tuple."""

    def get(pkt: Packet) -> int | None:
        if pkt.ct is None:
            return 0 if _template(pkt) else None
        value: int = getattr(pkt.ct.original if direction == "original" else pkt.ct.reply, part)
        return value

    return get
