"""SCTP's states and transitions (kernel: nf_conntrack_proto_sctp.c, sctp_conntracks)."""

from __future__ import annotations

from dataclasses import dataclass, field

STATES = ("NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECD",
          "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT")  # fmt: skip
DATA, INIT, INIT_ACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN, SHUTDOWN_ACK, ERROR, COOKIE_ECHO, COOKIE_ACK = (
    0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11)  # fmt: skip
SHUTDOWN_COMPLETE = 14
_WORD = {"cl": "CLOSED", "cw": "COOKIE_WAIT", "ce": "COOKIE_ECHOED", "es": "ESTABLISHED", "ss": "SHUTDOWN_SENT",
         "sr": "SHUTDOWN_RECD", "sa": "SHUTDOWN_ACK_SENT", "hs": "HEARTBEAT_SENT", "iv": "INVALID"}  # fmt: skip
# columns are STATES; first the original direction, then the reply
_ROWS = (
    (INIT, "cl cl cw ce es cl cl sa cw", "iv cl cw ce es cl cl sa iv"),
    (INIT_ACK, "cl cl cw ce es ss sr sa cl", "iv cw cw ce es ss sr sa iv"),
    (ABORT, "cl cl cl cl cl cl cl cl cl", "iv cl cl cl cl cl cl cl iv"),
    (SHUTDOWN, "cl cl cw ce ss ss sr sa cl", "iv cl cw ce sr ss sr sa iv"),
    (SHUTDOWN_ACK, "sa cl cw ce es sa sa sa sa", "iv cl cw ce es sa sa sa iv"),
    (ERROR, "cl cl cw ce es ss sr sa cl", "iv cl cw cl es ss sr sa iv"),
    (COOKIE_ECHO, "cl cl ce ce es ss sr sa cl", "iv cl ce ce es ss sr sa iv"),
    (COOKIE_ACK, "cl cl cw es es ss sr sa cl", "iv cl cw es es ss sr sa iv"),
    (SHUTDOWN_COMPLETE, "cl cl cw ce es ss sr cl cl", "iv cl cw ce es ss sr cl iv"),
    (HEARTBEAT, "hs cl cw ce es ss sr sa hs", "iv cl cw ce es ss sr sa hs"),
    (HEARTBEAT_ACK, "cl cl cw ce es ss sr sa hs", "iv cl cw ce es ss sr sa es"),
)
TRANSITIONS = {
    (direction, chunk, state): _WORD[word]
    for chunk, *rows in _ROWS
    for direction, row in enumerate(rows)
    for state, word in zip(STATES, row.split(), strict=True)
}
ANY_TAG = frozenset({INIT, SHUTDOWN_COMPLETE, COOKIE_ECHO, ABORT, SHUTDOWN_ACK, HEARTBEAT, HEARTBEAT_ACK})
OUT_OF_THE_BLUE = frozenset({ABORT, SHUTDOWN_COMPLETE, COOKIE_ACK})


@dataclass(slots=True)
class Association:
    """What is known of one (struct ip_ct_sctp)."""

    state: str = "NONE"
    tags: list[int] = field(default_factory=lambda: [0, 0])
    init: list[bool] = field(default_factory=lambda: [False, False])
    heartbeat_failed: bool = False
    last_dir: int = 0
