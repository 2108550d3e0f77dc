"""The conntrack table of a namespace, through ctnetlink.

A dump walks the hash table of the whole machine, which is slow.  So the NEW and DESTROY events are followed,
and each entry known from them is asked for by its tuple.  Source of the numbers: linux/netfilter/nfnetlink_conntrack.h.
"""

from __future__ import annotations

import errno
import socket
from enum import IntEnum
from typing import Final

from iptables_emu.packet.build import PROTOCOLS
from iptables_emu.scenario.kernel.netlink import (
    NLA_F_NESTED,
    Attributes,
    Message,
    Nfnetlink,
    Subsystem,
    attribute,
    number_of,
    parse_attributes,
    text_of,
)

GET, DELETE = 1, 2
NEW_GROUP, DESTROY_GROUP = 1, 3
SEEN_REPLY, ASSURED = 2, 4
TCP, SCTP = 6, 132
PROTOCOL_NAMES: Final = {number: name for name, number in PROTOCOLS.items()}
TCP_STATES: Final = (
    "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
    "SYN_SENT2",
)  # fmt: skip
SCTP_STATES: Final = (
    "NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECD",
    "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT",
)  # fmt: skip


class Cta(IntEnum):
    """Attributes of an entry."""

    TUPLE_ORIG = 1
    TUPLE_REPLY = 2
    STATUS = 3
    PROTOINFO = 4
    HELP = 5
    TIMEOUT = 7
    MARK = 8
    COUNTERS_ORIG = 9
    COUNTERS_REPLY = 10
    USE = 11
    ZONE = 18


class ConntrackTable:
    """Follows one table; to be made inside the namespace."""

    def __init__(self) -> None:
        self._events = Nfnetlink((NEW_GROUP, DESTROY_GROUP))
        self._control = Nfnetlink()
        self._known: dict[bytes, int] = {}  # the query for an entry -> its family

    def close(self) -> None:
        """Close the sockets."""
        self._events.close()
        self._control.close()

    def flush(self) -> None:
        """Delete all entries and expectations of this namespace."""
        for family in (socket.AF_INET, socket.AF_INET6):
            self._control.request(Subsystem.CTNETLINK, DELETE, family=family)
        self._events.drain()
        self._known.clear()

    def entries(self) -> list[str]:
        """All entries as ``conntrack -L -o extended`` prints them, oldest first."""
        self._follow()
        lines = []
        for query, family in list(self._known.items()):
            try:
                answers = self._control.request(Subsystem.CTNETLINK, GET, query, family=family)
            except OSError as error:
                if error.errno != errno.ENOENT:
                    raise
                del self._known[query]
                continue
            lines += [entry_line(message) for message in answers]
        return lines

    def _follow(self) -> None:
        for message in self._events.drain():
            found = message.attributes()
            query = attribute(Cta.TUPLE_ORIG | NLA_F_NESTED, found[Cta.TUPLE_ORIG])
            if Cta.ZONE in found:
                query += attribute(Cta.ZONE, found[Cta.ZONE])
            if message.type & 0xFF == DELETE:
                self._known.pop(query, None)
            else:
                self._known[query] = message.family


def entry_line(message: Message) -> str:
    """One entry as a line."""
    found = message.attributes()
    protocol, original = _tuple(found[Cta.TUPLE_ORIG])
    status = number_of(found[Cta.STATUS])
    family = "ipv4     2" if message.family == socket.AF_INET else "ipv6     10"
    words = [f"{family} {PROTOCOL_NAMES.get(protocol, 'unknown'):<8} {protocol}"]
    if Cta.TIMEOUT in found:
        words.append(str(number_of(found[Cta.TIMEOUT])))
    if Cta.PROTOINFO in found:
        words.append(_protocol_state(protocol, found[Cta.PROTOINFO]))
    words.append(original + _counters(found, Cta.COUNTERS_ORIG))
    if not status & SEEN_REPLY:
        words.append("[UNREPLIED]")
    words.append(_tuple(found[Cta.TUPLE_REPLY])[1] + _counters(found, Cta.COUNTERS_REPLY))
    if status & ASSURED:
        words.append("[ASSURED]")
    if Cta.MARK in found:
        words.append(f"mark={number_of(found[Cta.MARK])}")
    if Cta.ZONE in found:
        words.append(f"zone={number_of(found[Cta.ZONE])}")
    if Cta.HELP in found:
        words.append(f"helper={text_of(parse_attributes(found[Cta.HELP])[1])}")
    words.append(f"use={number_of(found[Cta.USE]) - 1}")  # less the reference of the look-up itself
    return " ".join(words)


def _tuple(data: bytes) -> tuple[int, str]:
    """(protocol number, text) of a tuple."""
    parts = parse_attributes(data)
    ip, proto = parse_attributes(parts[1]), parse_attributes(parts[2])
    family, ends = (socket.AF_INET, (1, 2)) if 1 in ip else (socket.AF_INET6, (3, 4))
    src, dst = (socket.inet_ntop(family, ip[end]) for end in ends)
    line = f"src={src} dst={dst}"
    if 2 in proto:
        line += f" sport={number_of(proto[2])} dport={number_of(proto[3])}"
    for ident in (4, 7):  # ICMP, ICMPv6: the attributes are id, type, code
        if ident in proto:
            kind, code = number_of(proto[ident + 1]), number_of(proto[ident + 2])
            line += f" type={kind} code={code} id={number_of(proto[ident])}"
    return number_of(proto[1]), line


def _counters(found: Attributes, which: Cta) -> str:
    if which not in found:
        return ""
    parts = parse_attributes(found[which])
    return f" packets={number_of(parts[1])} bytes={number_of(parts[2])}"


def _protocol_state(protocol: int, data: bytes) -> str:
    nest = parse_attributes(data)[1 if protocol == TCP else 3]
    states = TCP_STATES if protocol == TCP else SCTP_STATES
    return states[next(iter(parse_attributes(nest).values()))[0]]
