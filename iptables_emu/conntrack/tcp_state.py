"""TCP's states and transitions (kernel: nf_conntrack_proto_tcp.c, tcp_conntracks).

A transition is looked up by direction, kind of segment and old state; INVALID and IGNORE are no states.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STATES = ("NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
          "SYN_SENT2")  # fmt: skip
INVALID, IGNORE = "INVALID", "IGNORE"
KINDS = ("syn", "synack", "fin", "ack", "rst", "none")

_WORD = {
    "iv": INVALID, "ig": IGNORE, "ss": "SYN_SENT", "sr": "SYN_RECV", "es": "ESTABLISHED", "fw": "FIN_WAIT",
    "cw": "CLOSE_WAIT", "la": "LAST_ACK", "tw": "TIME_WAIT", "cl": "CLOSE", "s2": "SYN_SENT2",
}  # fmt: skip
# columns are STATES in order; rows are KINDS, first the original direction, then the reply
_ROWS = (
    ("syn", "ss ss ig ig ig ig ig ss ss s2", "iv s2 iv iv iv iv iv ss iv s2"),
    ("synack", "iv iv sr iv iv iv iv iv iv sr", "iv sr ig ig ig ig ig ig ig sr"),
    ("fin", "iv iv fw fw la la la tw cl iv", "iv iv fw fw la la la tw cl iv"),
    ("ack", "es iv es es cw cw tw tw cl iv", "iv ig sr es cw cw tw tw cl ig"),
    ("rst", "iv cl cl cl cl cl cl cl cl cl", "iv cl cl cl cl cl cl cl cl cl"),
    ("none", "iv iv iv iv iv iv iv iv iv iv", "iv iv iv iv iv iv iv iv iv iv"),
)
TRANSITIONS: dict[tuple[int, str, str], str] = {
    (direction, kind, state): _WORD[word]
    for kind, *rows in _ROWS
    for direction, row in enumerate(rows)
    for state, word in zip(STATES, row.split(), strict=True)
}

# td flags
WINDOW_SCALE, SACK_PERM, CLOSE_INIT, BE_LIBERAL, DATA_UNACKNOWLEDGED, MAXACK_SET = 1, 2, 4, 8, 16, 32
CHALLENGE_ACK, SIMULTANEOUS_OPEN = 64, 128


@dataclass(slots=True)
class Side:
    """What was seen of one direction (struct ip_ct_tcp_state)."""

    end: int = 0
    maxend: int = 0
    maxwin: int = 0
    maxack: int = 0
    scale: int = 0
    flags: int = 0


@dataclass(slots=True)
class TcpState:
    """The protocol part of a connection (struct ip_ct_tcp)."""

    state: str = "NONE"
    seen: list[Side] = field(default_factory=lambda: [Side(), Side()])
    last_kind: str = "none"
    last_dir: int = 0
    last_seq: int = 0
    last_ack: int = 0
    last_end: int = 0
    last_win: int = 0
    last_scale: int = 0
    last_flags: int = 0
    retrans: int = 0


def by_hand(state: str) -> int:
    """The flags of both sides where the windows are not known: they are not looked at, and a connection that is over
    may begin anew (conntrack-tools: libct_proto_tcp.c gives them to entries that it makes)."""
    over = STATES.index(state) >= STATES.index("TIME_WAIT")
    return BE_LIBERAL | SACK_PERM | (CLOSE_INIT if over else 0)
