"""SCTP's states (kernel: nf_conntrack_proto_sctp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.packet.packet import Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn

STATES = ("NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECD",
          "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT")  # fmt: skip
CHUNKS = {1: "init", 2: "init_ack", 6: "abort", 7: "shutdown", 8: "shutdown_ack", 9: "error", 10: "cookie_echo",
          11: "cookie_ack", 14: "shutdown_complete", 4: "heartbeat", 5: "heartbeat_ack"}  # fmt: skip
_WORD = {"no": "INVALID", "cl": "CLOSED", "cw": "COOKIE_WAIT", "ce": "COOKIE_ECHOED", "es": "ESTABLISHED",
         "ss": "SHUTDOWN_SENT", "sr": "SHUTDOWN_RECD", "sa": "SHUTDOWN_ACK_SENT", "hs": "HEARTBEAT_SENT",
         "iv": "INVALID"}  # fmt: skip
_ROWS = (
    ("init", "cw cw cw ce es ce cl sa cw", "iv cl cw ce es ce cl sa iv"),
    ("init_ack", "cl cl cw ce es ss sr sa cl", "iv iv cw ce es ss sr sa iv"),
    ("abort", "cl cl cl cl cl cl cl cl cl", "iv cl cl cl cl cl cl cl cl"),
    ("shutdown", "cl cl cw ce ss ss sr sa cl", "iv cl cw ce sr ss sr sa iv"),
    ("shutdown_ack", "sa cl cw ce es sa sa sa sa", "iv cl cw ce es sa sa sa hs"),
    ("error", "cl cl cw ce es ss sr sa cl", "iv cl cw cl es ss sr sa iv"),
    ("cookie_echo", "cl cl ce ce es ss sr sa cl", "iv cl cw ce es ss sr sa iv"),
    ("cookie_ack", "cl cl cw es es ss sr sa cl", "iv cl cw es es ss sr sa iv"),
    ("shutdown_complete", "cl cl cw ce es ss sr cl cl", "iv cl cw ce es ss sr cl iv"),
    ("heartbeat", "hs cl cw ce es ss sr sa hs", "iv cl cw ce es ss sr sa hs"),
    ("heartbeat_ack", "iv cl cw ce es ss sr sa hs", "iv cl cw ce es ss sr sa es"),
)
TRANSITIONS = {
    (direction, chunk, state): _WORD[word]
    for chunk, *rows in _ROWS
    for direction, row in enumerate(rows)
    for state, word in zip(STATES, row.split(), strict=True)
}


def chunks(segment: bytes) -> list[int] | None:
    """The chunk types of a packet; None when a chunk is broken."""
    out, at = [], 12
    while at + 4 <= len(segment):
        size = int.from_bytes(segment[at + 2 : at + 4], "big")
        if size < 4:
            return None
        out.append(segment[at])
        at += (size + 3) & ~3
    return out


def packet(core: Conntrack, conn: Conn, direction: int, pkt: Packet) -> tuple[str, str]:
    """("accept"|"invalid", reason) of one packet."""
    segment = bytes(pkt.data[pkt.l4 : pkt.length])
    kinds = chunks(segment) if len(segment) >= 12 else None
    if not kinds:
        return "invalid", "no chunk"
    state = conn.sctp or "NONE"
    old = state
    for kind in kinds:
        name = CHUNKS.get(kind)
        if name is None:
            continue
        state = TRANSITIONS[direction, name, state]
        if state == "INVALID":
            return "invalid", "invalid sctp chunk for this state"
    if not conn.sctp and state == "NONE":
        return "invalid", "data without association"
    conn.sctp = state
    core.refresh(conn, core.sysctl(f"sctp_timeout_{state.lower()}"))
    if old in ("COOKIE_ECHOED", "HEARTBEAT_SENT") and direction == 1 and state == "ESTABLISHED":
        conn.status |= t.ASSURED
    return "accept", ""
