"""Where the fields that may be random stand: in frames, and in lines of the log and of conntrack."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from iptables_emu.packet.build import ICMP, ICMPV6, TCP, UDP

ETHERNET: Final = 14
CHECKSUM_AT: Final = {TCP: 16, UDP: 6, ICMP: 2, ICMPV6: 2}
ICMP_QUOTING: Final = {ICMP: (3, 4, 5, 11, 12), ICMPV6: (1, 2, 3, 4)}
# requests and replies that carry an id: echo, timestamp, information, mask
ICMP_WITH_ID: Final = {ICMP: (0, 8, 13, 14, 15, 16, 17, 18), ICMPV6: (128, 129)}
TIMESTAMP_OPTION, ICMP_TIMESTAMP_REPLY = 0x44, 14
# the words of conntrack and of LOG
ROLES: Final = {
    "src": "src", "dst": "dst", "sport": "sport", "dport": "dport", "id": "id",
    "SRC": "src", "DST": "dst", "SPT": "sport", "DPT": "dport",
}  # fmt: skip
WORD: Final = re.compile(r"\[?(\w+)=([^\s\]]*)\]?")


@dataclass(frozen=True, slots=True)
class Number:
    """A port or ICMP id.  ``flow`` names the connection by what else it has: addresses and the other port."""

    value: int
    flow: tuple[frozenset[str], int]
    is_id: bool


@dataclass(frozen=True, slots=True)
class Layer:
    """One transport header in a frame, the frame's own or one quoted by an ICMP error (offsets in bytes)."""

    start: int
    checksum: int | None
    numbers: dict[int, Number]


def layers(frame: bytes) -> list[Layer]:
    """The transport headers of an Ethernet frame, outermost first."""
    found: list[Layer] = []
    at = ETHERNET
    while at + 20 <= len(frame):
        ipv6 = frame[at] >> 4 == 6
        if ipv6 and at + 40 > len(frame):
            break
        proto = frame[at + (6 if ipv6 else 9)]
        if not ipv6 and int.from_bytes(frame[at + 6 : at + 8], "big") & 0x1FFF:
            break  # a later fragment
        ends = _addresses(frame, at, ipv6)
        at += 40 if ipv6 else (frame[at] & 15) * 4
        layer = _layer(frame, at, proto, ends)
        if not layer:
            break
        found.append(layer)
        if proto not in ICMP_QUOTING or frame[at] not in ICMP_QUOTING[proto]:
            break
        at += 8
    return found


def _addresses(frame: bytes, at: int, ipv6: bool) -> frozenset[str]:
    first, size, family = (8, 16, socket.AF_INET6) if ipv6 else (12, 4, socket.AF_INET)
    places = (at + first, at + first + size)
    return frozenset(socket.inet_ntop(family, frame[place : place + size]) for place in places)


def _layer(frame: bytes, at: int, proto: int, ends: frozenset[str]) -> Layer | None:
    if proto not in CHECKSUM_AT or at + 4 > len(frame):
        return None
    numbers: dict[int, Number] = {}
    if proto in (TCP, UDP):
        sport, dport = (int.from_bytes(frame[place : place + 2], "big") for place in (at, at + 2))
        numbers = {at: Number(sport, (ends, dport), False), at + 2: Number(dport, (ends, sport), False)}
    elif frame[at] in ICMP_WITH_ID[proto] and at + 6 <= len(frame):
        numbers = {at + 4: Number(int.from_bytes(frame[at + 4 : at + 6], "big"), (ends, -1), True)}
    checksum = at + CHECKSUM_AT[proto]
    return Layer(at, checksum if checksum + 2 <= len(frame) else None, numbers)


def line_numbers(words: list[str]) -> dict[int, Number]:
    """The ports and ICMP ids of a line of the log or of conntrack, by index of the word."""
    found: dict[int, Number] = {}
    flow: dict[str, tuple[int, str]] = {}
    for index, word in enumerate(words):
        match = WORD.fullmatch(word)
        role = ROLES.get(match[1]) if match else None
        if not match or not role:
            continue
        if role == "src":  # the next tuple, or a quoted packet
            found |= _flow_numbers(flow)
            flow = {}
        flow[role] = (index, match[2])
    return found | _flow_numbers(flow)


def _flow_numbers(flow: dict[str, tuple[int, str]]) -> dict[int, Number]:
    # LOG writes IPv6 addresses out, conntrack does not
    ends = frozenset(str(ipaddress.ip_address(flow[role][1])) for role in ("src", "dst") if role in flow)
    if "id" in flow:
        index, value = flow["id"]
        return {index: Number(int(value), (ends, -1), True)}
    if "sport" not in flow or "dport" not in flow:
        return {}
    (first, sport), (second, dport) = flow["sport"], flow["dport"]
    return {
        first: Number(int(sport), (ends, int(dport)), False),
        second: Number(int(dport), (ends, int(sport)), False),
    }


def without_clock(frame: bytes) -> bytes:
    """The frame with the time of day zeroed: in IP timestamp options, and in ICMP timestamp replies."""
    if frame[12:14] != b"\x08\x00" or len(frame) < ETHERNET + 20:
        return frame
    out = bytearray(frame)
    body = ETHERNET + (frame[ETHERNET] & 15) * 4
    if body > ETHERNET + 24 and frame[ETHERNET + 20] == TIMESTAMP_OPTION:
        out[ETHERNET + 10 : ETHERNET + 12] = bytes(2)
        out[ETHERNET + 24 : body] = bytes(body - ETHERNET - 24)
    if frame[ETHERNET + 9] == ICMP and frame[body : body + 1] == bytes([ICMP_TIMESTAMP_REPLY]):
        out[body + 2 : body + 4] = bytes(2)
        out[body + 12 : body + 20] = bytes(8)
    return bytes(out[: len(frame)])


def without_flow_label(frame: bytes) -> bytes:
    """The frame with the flow label of IPv6 zeroed; the kernel makes it with a key of this boot."""
    if frame[12:14] != b"\x86\xdd" or len(frame) < ETHERNET + 4:
        return frame
    return frame[: ETHERNET + 1] + bytes([frame[ETHERNET + 1] & 0xF0]) + bytes(2) + frame[ETHERNET + 4 :]


def fragment_id(frame: bytes) -> int | None:
    """Where the id of an IPv6 fragment stands, which the kernel draws when it makes the fragments."""
    if frame[12:14] != b"\x86\xdd" or len(frame) < ETHERNET + 40:
        return None
    kind, at = frame[ETHERNET + 6], ETHERNET + 40
    while kind in (0, 43, 60) and at + 2 <= len(frame):
        kind, at = frame[at], at + (frame[at + 1] + 1) * 8
    return at + 4 if kind == 44 and at + 8 <= len(frame) else None


def fragment_ids(scenario: Mapping[str, Any]) -> frozenset[bytes]:
    """The ids of the IPv6 fragments that a scenario itself sends."""
    found = set()
    for step in scenario.get("steps", []):
        value = step.get("inject") or step.get("send_local") or []
        for one in value if isinstance(value, list) else [value]:
            packet = bytes.fromhex(one.get("packet_hex", ""))
            frame = bytes.fromhex(one.get("frame_hex", "")) or bytes(12) + b"\x86\xdd" + packet
            at = fragment_id(frame)
            if at is not None:
                found.add(frame[at : at + 4])
    return frozenset(found)


def without_fragment_id(frame: bytes, known: frozenset[bytes]) -> bytes:
    """The frame with the id of a fragment zeroed, if the kernel has drawn it."""
    at = fragment_id(frame)
    if at is None or frame[at : at + 4] in known:
        return frame
    return frame[:at] + bytes(4) + frame[at + 4 :]
