"""The kernel's trace messages, of both backends, as `TraceEvent`.

A private ``table inet`` (which iptables does not show) sets ``nf_trace`` on every packet behind defragmentation,
before raw.  Its chains at the start and the end of the hooks are *waypoints*: how the packet looks there.

* nft: messages of the netlink group NFNLGRP_NFTRACE.
* legacy: ``TRACE:`` lines of ip_tables, which the sysctl ``nf_log.2`` of the namespace sends to nfnetlink_log.
  The waypoints are logged to the same group, so one socket keeps the order.

Source of the numbers: linux/netfilter/nf_tables.h (NFTA_TRACE_*), linux/netfilter/nfnetlink_log.h (NFULA_*).
"""

from __future__ import annotations

import re
import socket
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

from iptables_emu.scenario.kernel.netlink import (
    Attributes,
    Message,
    Nfnetlink,
    Subsystem,
    attribute,
    number_of,
    parse_attributes,
    text_of,
)

Kind = Literal["rule", "policy", "return", "point"]

TRACE_TABLE: Final = "ipsim_trace"
NFTRACE_GROUP: Final = 9
HOOKS: Final = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")
FAMILY_NAMES: Final = {int(socket.AF_INET): "ipv4", int(socket.AF_INET6): "ipv6"}
NFT_KINDS: Final[dict[int, Kind]] = {1: "policy", 2: "return", 3: "rule"}
RULE_TYPE: Final = 3
VERDICTS: Final = {
    0: "drop", 1: "accept", 2: "stolen", 3: "queue", -1: "continue", -2: "break", -3: "jump", -4: "goto", -5: "return",
}  # fmt: skip
LEGACY_LINE: Final = re.compile(r"TRACE: (\w+):(.+):(rule|policy|return):(\d+) ?$")
POINT_PREFIX: Final = "IPSIM: "
FIRST, LAST = -399, 2147483646
WAYPOINTS: Final = (
    ("PREROUTING:start", "prerouting", FIRST),
    ("OUTPUT:start", "output", FIRST),
    ("INPUT:end", "input", LAST),
    ("FORWARD:end", "forward", LAST),
    ("POSTROUTING:end", "postrouting", LAST),
)
QUIET_CHAIN: Final = "quiet"


class Nfta(IntEnum):
    """Attributes of an nft trace message."""

    TABLE = 1
    CHAIN = 2
    RULE_HANDLE = 3
    TYPE = 4
    VERDICT = 5
    ID = 6
    NETWORK_HEADER = 8
    TRANSPORT_HEADER = 9
    IIF = 10
    OIF = 12
    MARK = 14
    NFPROTO = 15
    POLICY = 16


class Nfula(IntEnum):
    """Attributes of a message of nfnetlink_log."""

    PACKET_HDR = 1
    MARK = 2
    IFINDEX_INDEV = 4
    IFINDEX_OUTDEV = 5
    PAYLOAD = 9
    PREFIX = 10


@dataclass(slots=True)
class TraceEvent:
    """One message.  ``table`` is empty for a waypoint, whose name is ``chain``.

    ``number`` is a rule's handle (nft) or number (legacy); ``skb`` the kernel's id of the packet (nft);
    ``hook`` and ``packet`` come with the first message of a chain (nft) or always (legacy).
    """

    family: str
    table: str
    chain: str
    kind: Kind
    number: int = 0
    verdict: str = ""
    skb: int = 0
    hook: str = ""
    packet: bytes = b""
    in_index: int = 0
    out_index: int = 0
    mark: int = 0


def tracing_script(backend: str) -> str:
    """The nft script that makes the private table."""
    # MLD reports of the kernel itself are kept out of the counters and off the wire
    chains = [f"chain {QUIET_CHAIN} {{ type filter hook output priority -500; ip6 daddr ff02::16 drop; }}"]
    for point, hook, priority in WAYPOINTS:
        statements = "meta nftrace set 1; " if point.endswith("start") else ""
        if backend == "legacy":
            statements += f'log prefix "{POINT_PREFIX}{point}" group 0; '
        name = point.replace(":", "_")
        chains.append(f"chain {name} {{ type filter hook {hook} priority {priority}; policy accept; {statements}}}")
    return f"table inet {TRACE_TABLE} {{\n" + "\n".join(chains) + "\n}\n"


class NftTrace:
    """Reads nft trace messages; to be made inside the namespace."""

    def __init__(self) -> None:
        self._link = Nfnetlink((NFTRACE_GROUP,))

    def close(self) -> None:
        """Close the socket."""
        self._link.close()

    def drain(self) -> list[TraceEvent]:
        """The events since the last call."""
        return [event for message in self._link.drain() if (event := _nft_event(message))]


def _nft_event(message: Message) -> TraceEvent | None:
    found = message.attributes()
    table, chain = text_of(found[Nfta.TABLE]), text_of(found[Nfta.CHAIN])
    first = Nfta.NETWORK_HEADER in found
    kind: Kind
    if table == TRACE_TABLE:
        # a copy made by TEE is traced before it comes to our chains, and so shows up in "quiet"
        # nor does a packet whose transport header nf_tables cannot find bring its bytes along
        named = Nfta.RULE_HANDLE in found  # only the chains at the start have a rule
        begins = number_of(found[Nfta.TYPE]) == RULE_TYPE and named is chain.endswith("start")
        if not (first or begins) or chain == QUIET_CHAIN:
            return None
        table, chain, kind = "", chain.replace("_", ":"), "point"
    else:
        kind = NFT_KINDS[number_of(found[Nfta.TYPE])]
    # a chain of an inet table tells the family INET, not the packet's
    family = number_of(found[Nfta.NFPROTO]) if Nfta.NFPROTO in found else message.family
    event = TraceEvent(FAMILY_NAMES.get(family, str(family)), table, chain, kind, skb=number_of(found[Nfta.ID]))
    event.number = number_of(found.get(Nfta.RULE_HANDLE, b""))
    if kind == "rule":
        if Nfta.RULE_HANDLE not in found:  # this is how the end of a chain is told
            event.kind, event.verdict = "return", "return"
        elif Nfta.VERDICT in found:
            event.verdict = _nft_verdict(found[Nfta.VERDICT])
    elif kind == "policy" and Nfta.POLICY in found:
        event.verdict = VERDICTS[number_of(found[Nfta.POLICY])]
    if kind == "point" or chain in HOOKS:
        event.hook = chain.partition(":")[0]
    if first:
        _take_packet(event, found[Nfta.NETWORK_HEADER] + found.get(Nfta.TRANSPORT_HEADER, b""))
        _take_context(event, found, Nfta.IIF, Nfta.OIF, Nfta.MARK)
    return event


def _nft_verdict(data: bytes) -> str:
    parts = parse_attributes(data)
    (code,) = struct.unpack("!i", parts[1])
    name = VERDICTS.get(code, "?")  # a queue's number stands above its verdict
    return f"{name}:{text_of(parts[2])}" if 2 in parts else name


def _take_packet(event: TraceEvent, packet: bytes) -> None:
    event.packet = packet
    if packet:
        event.family = "ipv6" if packet[0] >> 4 == 6 else "ipv4"


def _take_context(event: TraceEvent, found: Attributes, in_index: int, out_index: int, mark: int) -> None:
    event.in_index = number_of(found.get(in_index, b""))
    event.out_index = number_of(found.get(out_index, b""))
    event.mark = number_of(found.get(mark, b""))


class LogTrace:
    """Reads group 0 of nfnetlink_log; to be made inside the namespace.

    With legacy these are the traces.  With both backends it holds the reasons for INVALID, from the sysctl
    nf_conntrack_log_invalid.
    """

    def __init__(self) -> None:
        self.invalid: list[str] = []
        self._link = Nfnetlink()
        self._configure(attribute(1, b"\x01"))  # bind
        self._configure(attribute(2, struct.pack("!IBB", 0xFFFF, 2, 0)))  # copy whole packets
        self._configure(attribute(5, struct.pack("!I", 1)))  # do not collect messages

    def _configure(self, body: bytes) -> None:
        self._link.request(Subsystem.ULOG, 1, body)

    def close(self) -> None:
        """Close the socket."""
        self._link.close()

    def drain(self) -> list[TraceEvent]:
        """The events since the last call; reasons for INVALID are added to ``invalid``."""
        return [event for message in self._link.drain() if (event := self._event(message))]

    def _event(self, message: Message) -> TraceEvent | None:
        found = message.attributes()
        prefix = text_of(found.get(Nfula.PREFIX, b""))
        if match := LEGACY_LINE.match(prefix):
            kind: Kind = "rule" if match[3] == "rule" else "policy" if match[3] == "policy" else "return"
            event = TraceEvent("", match[1], match[2], kind, int(match[4]))
            event.hook = HOOKS[found[Nfula.PACKET_HDR][2]]
        elif prefix.startswith(POINT_PREFIX):
            event = TraceEvent("", "", prefix.removeprefix(POINT_PREFIX), "point")
            event.hook = event.chain.partition(":")[0]
        else:
            if prefix.startswith(("nf_ct", "invalid")):
                self.invalid.append(prefix.strip())
            return None
        event.family = FAMILY_NAMES.get(message.family, "")
        _take_packet(event, found.get(Nfula.PAYLOAD, b""))
        _take_context(event, found, Nfula.IFINDEX_INDEV, Nfula.IFINDEX_OUTDEV, Nfula.MARK)
        return event
