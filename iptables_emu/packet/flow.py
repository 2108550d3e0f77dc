"""What a packet's flow is taken to be when it is hashed (kernel: flow_dissector.c)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from iptables_emu.packet.packet import DSTOPTS, FRAGMENT, HOPOPTS, ROUTING, TCP, UDP, UDPLITE
from iptables_emu.packet.siphash import siphash

IPIP, IPV6_IN_IP, GRE, ESP, AH, DCCP, SCTP = 4, 41, 47, 50, 51, 33, 132
PORTS_AT: Final = {TCP: 0, UDP: 0, DCCP: 0, ESP: 0, SCTP: 0, UDPLITE: 0, AH: 4}
ETHERTYPES: Final = {0x0800: 4, 0x86DD: 6}
BRIDGED, ETHERNET = 0x6558, 14
CSUM, ROUTED, KEY, SEQUENCE, VERSION = 0x8000, 0x4000, 0x2000, 0x1000, 7
MOST_HEADERS: Final = 15


@dataclass(frozen=True, slots=True)
class Keys:
    """``ports``: as they stand in the header, four bytes; ``tunnelled``: a packet within a packet."""

    family: int = 4
    src: int = 0
    dst: int = 0
    proto: int = 0
    ports: bytes = bytes(4)
    label: int = 0
    tunnelled: bool = False

    def hash(self, seed: int) -> int:
        """32 bits, the same for both directions (flow_hash_from_keys_seed), by the key of fib_multipath_hash_seed."""
        size = 4 if self.family == 4 else 16
        src, dst = self.src.to_bytes(size, "big"), self.dst.to_bytes(size, "big")
        if (dst[::-1] < src[::-1]) if self.family == 4 else (dst < src):
            src, dst = dst, src
        low, high = self.ports[:2], self.ports[2:]
        if high[::-1] < low[::-1]:
            low, high = high, low
        # n_proto, ip_proto | tags | vlan, cvlan | keyid | ports | icmp | addresses | the struct is 8 bytes aligned
        head = bytes((0, 0, self.proto, 0)) + self.label.to_bytes(4, "little") + bytes(20) + low + high + bytes(4)
        half = seed << 32 | seed
        return siphash(head + src + dst + bytes(4), (half, half)) & 0xFFFFFFFF or 1


def dissect(data: bytes, *, inside: bool = False) -> Keys:
    """The flow of a packet. ``inside``: of the packet that a tunnel carries, else the walk stops before it."""
    keys, at, family = Keys(), 0, data[0] >> 4
    for _ in range(MOST_HEADERS):
        step = _header4(data, at, keys) if family == 4 else _header6(data, at, keys)
        if step is None:
            return keys
        keys, at, whole = step
        if not whole:
            return keys
        found = _tunnel(data, at, keys.proto)
        if found is None:
            return _with_ports(data, at, keys)
        keys = replace(keys, tunnelled=True)
        if not inside:
            return keys
        family, at = found
    return keys


def _header4(data: bytes, at: int, before: Keys) -> tuple[Keys, int, bool] | None:
    """(keys, where the payload starts, whether this is no fragment)."""
    head = data[at : at + 20]
    if len(head) < 20 or head[0] & 15 < 5:
        return None
    src, dst = int.from_bytes(head[12:16], "big"), int.from_bytes(head[16:20], "big")
    keys = replace(before, family=4, src=src, dst=dst, proto=head[9])
    return keys, at + (head[0] & 15) * 4, not int.from_bytes(head[6:8], "big") & 0x3FFF


def _header6(data: bytes, at: int, before: Keys) -> tuple[Keys, int, bool] | None:
    head = data[at : at + 40]
    if len(head) < 40:
        return None
    label = int.from_bytes(head[1:4], "big") & 0xFFFFF
    src, dst, proto = int.from_bytes(head[8:24], "big"), int.from_bytes(head[24:40], "big"), head[6]
    keys = replace(before, family=6, src=src, dst=dst, label=label or before.label, proto=proto)
    at += 40
    while proto in (HOPOPTS, ROUTING, DSTOPTS, FRAGMENT):
        if at + (8 if proto == FRAGMENT else 2) > len(data):
            return None
        if proto == FRAGMENT:
            return replace(keys, proto=data[at]), at + 8, False
        proto, at = data[at], at + (data[at + 1] + 1) * 8
    return replace(keys, proto=proto), at, True


def _tunnel(data: bytes, at: int, proto: int) -> tuple[int, int] | None:
    """(family, place) of the packet that a header carries, if it is a tunnel's."""
    if proto in (IPIP, IPV6_IN_IP):
        return (4 if proto == IPIP else 6), at
    if proto != GRE or at + 4 > len(data):
        return None
    flags, kind = int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big")
    if flags & VERSION or flags & ROUTED:
        return None
    at += 4 + 4 * (bool(flags & CSUM) + bool(flags & KEY) + bool(flags & SEQUENCE))
    if kind == BRIDGED and at + ETHERNET <= len(data):
        kind, at = int.from_bytes(data[at + 12 : at + 14], "big"), at + ETHERNET
    return (ETHERTYPES[kind], at) if kind in ETHERTYPES else None


def _with_ports(data: bytes, at: int, keys: Keys) -> Keys:
    if keys.proto not in PORTS_AT:
        return keys
    at += PORTS_AT[keys.proto]
    ports = data[at : at + 4]
    return replace(keys, ports=ports) if len(ports) == 4 else keys
