"""Connections from what ``conntrack -L`` (with or without ``-o extended``) or /proc/net/nf_conntrack printed.

A line does not tell everything: TCP's windows are unknown (its segments are then taken as they come, as those of a
connection that was picked up in its middle), and so are SCTP's verification tags, without which no packet can be
judged.
"""

from __future__ import annotations

import re

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.table import SECOND, Conn
from iptables_emu.conntrack.tcp_state import STATES, TcpState, by_hand
from iptables_emu.conntrack.tuples import ORIGINAL, REPLY, Tuple
from iptables_emu.model.address import network
from iptables_emu.options.numbers import U8, U16

_HEAD = re.compile(r"(?:ipv[46] +\d+ +)?\S+ +(\d+) +(?:(\d+) +)?(?:([A-Z_0-9]+) +)?(?=src=)")
_WORD = re.compile(r"(\[[^\]]*\])|([a-z-]+)=(\S*)")
_OFFLOAD = t.OFFLOAD | t.ASSURED
_FLAGS = {"[ASSURED]": t.ASSURED, "[OFFLOAD]": _OFFLOAD, "[HW_OFFLOAD]": _OFFLOAD | t.HW_OFFLOAD}


class ListingError(ValueError):
    """A line that is none of a listing; the text says which."""


def read_listing(text: str, core: Conntrack) -> list[str]:
    """Put the connections into the table; returns what could not be known. Raises ListingError."""
    tcp = sctp = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            conn = _conn(line, core.now)
        except (ValueError, KeyError, IndexError) as error:
            raise ListingError(f"conntrack, line {number}: {error}") from None
        if conn.original.proto == t.SCTP:
            sctp += 1
            continue
        if core.taken(conn) is not None:
            continue  # kept from an earlier trace, which knows more
        tcp += conn.tcp is not None
        core.table.insert(conn)
        if conn.status & t.NAT_MASK:
            core.table.by_source.insert(0, conn)
    notes = []
    if tcp:
        notes.append(f"the windows of {tcp} TCP connections are not known, their segments are taken as they come")
    if sctp:
        notes.append(f"{sctp} SCTP associations are left out, their verification tags are not known")
    return notes


def _conn(line: str, now: int) -> Conn:
    head = _HEAD.match(line)
    if head is None:
        raise ValueError(f"not a line of conntrack -L: {line[:60]!r}")
    proto, seconds, state = int(head.group(1)), int(head.group(2) or 0), head.group(3) or ""
    sides: list[dict[str, str]] = []
    rest: dict[str, str] = {}
    status = t.CONFIRMED | t.SEEN_REPLY
    for flag, name, value in _WORD.findall(line[head.end() :]):
        if flag == "[UNREPLIED]":
            status &= ~t.SEEN_REPLY
        elif flag:
            status |= _FLAGS.get(flag, 0)
        elif name == "src":
            sides.append({"src": value})
        elif name == "id" and "type" in sides[-1] and "id" not in sides[-1]:
            sides[-1]["id"] = value  # an echo's; the entry's own comes last
        elif name in ("mark", "zone", "use", "id", "helper", "secmark", "secctx", "labels", "delta-time"):
            rest[name] = value
        else:
            sides[-1][name] = value
    conn = Conn([_tuple(side, proto) for side in sides], status=status | _translated(sides, proto))
    if len(conn.tuples) != 2:
        raise ValueError("two directions were expected")
    conn.mark, conn.helper = int(rest.get("mark", 0)), rest.get("helper", "")
    conn.status |= t.HELPER if conn.helper else 0
    conn.timeout, conn.timeout_at = seconds, now + seconds * SECOND
    conn.zone = int(rest.get("zone", 0))
    for side, word in ((sides[0], "orig"), (sides[1], "reply")):
        if f"zone-{word}" in side:
            conn.zone, conn.zone_dir = int(side[f"zone-{word}"]), word
    conn.accounted = "packets" in sides[0]
    for direction in (ORIGINAL, REPLY) if conn.accounted else ():
        conn.packets[direction], conn.bytes[direction] = (int(sides[direction][w]) for w in ("packets", "bytes"))
    if proto == t.TCP:
        if state not in STATES:
            raise ValueError(f"{state!r} is no state of TCP")
        conn.tcp = TcpState(state)
        for seen in conn.tcp.seen:
            seen.flags = by_hand(state)
    return conn


def _tuple(side: dict[str, str], proto: int) -> Tuple:
    (family, src, _), (other, dst, _) = network(side["src"]), network(side["dst"])
    if proto in (t.ICMP, t.ICMPV6):
        sport, dport = int(side["id"]), int(side["type"]) << 8 | int(side["code"])
    else:
        sport, dport = (
            int(side.get(word, side.get(key, "0")), 0) for word, key in (("sport", "srckey"), ("dport", "dstkey"))
        )
    if family != other or proto > U8 or not (0 <= sport <= U16 and 0 <= dport <= U16):
        raise ValueError("such a direction there cannot be")
    return Tuple(family, src, dst, proto, sport, dport)


def _translated(sides: list[dict[str, str]], proto: int) -> int:
    """The NAT bits: a listing tells them by the reply that is not the mirror of the original."""
    if len(sides) != 2:
        return 0
    mirror, reply = _tuple(sides[0], proto).inverse(), _tuple(sides[1], proto)
    if proto in (t.ICMP, t.ICMPV6):  # an id belongs to the source
        src, dst = (reply.dst, reply.sport) != (mirror.dst, mirror.sport), reply.src != mirror.src
    else:
        src = (reply.dst, reply.dport) != (mirror.dst, mirror.dport)
        dst = (reply.src, reply.sport) != (mirror.src, mirror.sport)
    return t.NAT_DONE_MASK | (t.SRC_NAT if src else 0) | (t.DST_NAT if dst else 0)
