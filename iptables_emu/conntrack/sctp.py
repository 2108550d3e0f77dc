"""SCTP's states and verification tags (kernel: nf_conntrack_proto_sctp.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptables_emu.conntrack import record
from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.sctp_state import (
    ABORT,
    ANY_TAG,
    COOKIE_ACK,
    COOKIE_ECHO,
    DATA,
    HEARTBEAT,
    HEARTBEAT_ACK,
    INIT,
    INIT_ACK,
    OUT_OF_THE_BLUE,
    SHUTDOWN_COMPLETE,
    TRANSITIONS,
    Association,
)  # fmt: skip
from iptables_emu.conntrack.tuples import ORIGINAL, REPLY
from iptables_emu.packet.crc32c import crc32c
from iptables_emu.packet.packet import Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn

FLAG_T = 1
NO = ("invalid", "")


@dataclass(frozen=True, slots=True)
class Chunk:
    """``body`` is what follows its four bytes of header, as far as the packet goes."""

    kind: int
    flags: int
    length: int
    body: bytes

    @property
    def init_tag(self) -> int | None:
        return int.from_bytes(self.body[:4], "big") if len(self.body) >= 16 else None


def chunks(segment: bytes) -> list[Chunk] | None:
    """The chunks of a packet; None when they cannot be (do_basic_checks)."""
    out: list[Chunk] = []
    at, alone = 12, False
    while at + 4 <= len(segment):
        kind, size = segment[at], int.from_bytes(segment[at + 2 : at + 4], "big")
        alone = alone or kind in (INIT, INIT_ACK, SHUTDOWN_COMPLETE)
        if ((alone or kind in (COOKIE_ACK, COOKIE_ECHO)) and out) or not size:
            return None
        out.append(Chunk(kind, segment[at + 1], size, segment[at + 4 :]))
        at += (size + 3) & ~3
    return out or None


def error(segment: bytes, check: bool) -> str | None:
    """Why a packet is INVALID on sight, or None (sctp_error)."""
    if len(segment) < 12:
        return "nf_ct_sctp: short packet"
    if check and crc32c(segment[:8] + bytes(4) + segment[12:]).to_bytes(4, "little") != segment[8:12]:
        return "nf_ct_sctp: failed: bad CRC"
    return None


def next_state(direction: int, state: str, kind: int) -> str:
    """INVALID where the chunk cannot be in this state; data and the like change nothing."""
    return TRANSITIONS.get((direction, kind, state), state)


def _begin(conn: Conn, tag: int, found: list[Chunk]) -> bool:
    """A first packet (sctp_new)."""
    known = Association()
    for chunk in found:
        state = next_state(ORIGINAL, "NONE", chunk.kind)
        if state in ("NONE", "INVALID"):
            return False
        if chunk.kind == INIT:
            if tag or chunk.init_tag is None:
                return False
            known.tags[REPLY] = chunk.init_tag
        elif chunk.kind == HEARTBEAT:
            known.tags[ORIGINAL] = tag
        else:
            known.tags[REPLY] = tag
    conn.sctp = known
    return True


def packet(core: Conntrack, conn: Conn, direction: int, pkt: Packet) -> tuple[str, str]:
    """("accept"|"ignored"|"invalid", reason) of one packet (nf_conntrack_sctp_packet)."""
    segment = bytes(pkt.data[pkt.l4 : pkt.length])
    found, tag = chunks(segment), int.from_bytes(segment[4:8], "big")
    if found is None:
        return NO
    kinds = {chunk.kind for chunk in found}
    if not conn.confirmed and (kinds & OUT_OF_THE_BLUE or not _begin(conn, tag, found)):
        return NO
    known = conn.sctp
    assert known is not None
    if not kinds & ANY_TAG and tag != known.tags[direction]:
        return NO
    old = state = "NONE"
    ignored = False
    for chunk in found:
        verdict = _tag_fits(known, chunk, tag, direction, DATA in kinds or ignored)
        if verdict is None:
            return NO
        if not verdict:
            ignored = True
            continue
        old = known.state
        state = next_state(direction, old, chunk.kind)
        if state == "INVALID" or not _note_tags(known, chunk, direction):
            return NO
        if chunk.kind == INIT and direction == ORIGINAL and conn.confirmed and old == state == "CLOSED":
            ignored = True  # the same again does not prolong it
        known.state = state
        if old != state:
            conn.events |= record.IPCT_PROTOINFO
    if ignored:
        return "ignored", ""
    core.refresh(conn, core.sysctl(f"sctp_timeout_{state.lower()}") if state != "NONE" else 0)
    if old in ("COOKIE_ECHOED", "HEARTBEAT_SENT") and direction == REPLY and state == "ESTABLISHED":
        conn.status |= t.ASSURED
        conn.events |= record.IPCT_ASSURED
    return "accept", ""


def _tag_fits(known: Association, chunk: Chunk, tag: int, direction: int, strict: bool) -> bool | None:
    """The verification tag's own rules (RFC 4960 8.5.1); None: invalid, False: look away."""
    mine, theirs = known.tags[direction], known.tags[1 - direction]
    if chunk.kind == INIT:
        return True if tag == 0 else None
    if chunk.kind in (ABORT, SHUTDOWN_COMPLETE):
        return True if tag == (theirs if chunk.flags & FLAG_T else mine) else None
    if chunk.kind == COOKIE_ECHO:
        return True if tag == mine else None
    if chunk.kind not in (HEARTBEAT, HEARTBEAT_ACK):
        return True
    if mine == 0:
        known.tags[direction] = tag
    elif tag == mine:
        known.heartbeat_failed = False
    elif strict:
        return None
    elif chunk.kind == HEARTBEAT:
        known.heartbeat_failed, known.last_dir = True, direction
        return False
    elif not known.heartbeat_failed or known.last_dir == direction:
        return None
    else:
        known.heartbeat_failed = False
        known.tags[direction], known.tags[1 - direction] = tag, 0
    return True


def _note_tags(known: Association, chunk: Chunk, direction: int) -> bool:
    """INIT and its answer tell the tags to come; False: they contradict what is known."""
    if chunk.kind not in (INIT, INIT_ACK):
        return True
    told, other = chunk.init_tag, 1 - direction
    if told is None:
        return False
    if chunk.kind == INIT:
        if known.init[direction] and known.init[other]:
            known.init[other] = False
        known.init[direction] = True
    else:
        expected = known.tags[other]
        if not known.init[other] and expected and expected != told:
            return False
        if known.init[direction] and known.init[other] and expected != told:
            return False
    known.tags[other] = told
    return True
