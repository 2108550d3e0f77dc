"""Packets from small dicts: the ``packet`` of a scenario's steps.

The keys, all optional but ``src`` and ``dst`` (and ``sport``, ``dport`` with TCP and UDP)::

    src, dst            addresses; a colon in src makes it IPv6
    proto               tcp (default), udp, icmp, icmpv6, igmp, gre, sctp or a number
    ttl tos id          64, 0, 1 (ttl is the hop limit, tos the traffic class of IPv6)
    df mf frag          IPv4 flags, and the fragment offset in units of 8 bytes
    slice               [start, size or null]: only these bytes behind the IPv4 header, of the whole datagram
    ip_options_hex      IPv4 options, a multiple of 4 bytes
    sport dport         ports
    flags seq ack window tcp_options_hex     "S", 1000, 0, 65535, ""; flags are letters of FSRPAUEC
    type code ident icmp_seq                 echo request, 0, 1, 1
    inner mtu           the packet that an ICMP error quotes (a dict, quoted whole), and its MTU field
    payload payload_hex what comes behind the transport header, as text or in hex
    bad_checksum        true: the transport checksum is wrong
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import Any, Final

from iptables_emu.packet.checksum import internet_checksum

PROTOCOLS: Final = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "icmpv6": 58, "sctp": 132}
TCP_FLAGS: Final = "FSRPAUEC"

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
ETHERTYPE_IPV4, ETHERTYPE_IPV6 = b"\x08\x00", b"\x86\xdd"

Fields = Mapping[str, Any]


def build(fields: Fields) -> bytes:
    """The IPv4 or IPv6 packet (no link-layer header) that the fields describe.

    Raises KeyError, ValueError, OSError or struct.error when the fields make no packet;
    ``scenario.format`` finds these before and says where.
    """
    proto = protocol_number(fields.get("proto", "tcp"))
    return _build_ipv6(fields, proto) if ":" in fields["src"] else _build_ipv4(fields, proto)


def protocol_number(proto: str | int) -> int:
    """The number of a protocol given by name or number."""
    if isinstance(proto, int):
        return proto
    if proto not in PROTOCOLS:
        raise ValueError(f"unknown protocol {proto!r}")
    return PROTOCOLS[proto]


def ethernet(packet: bytes, dst: bytes, src: bytes) -> bytes:
    """An Ethernet frame around an IP packet; ``dst`` and ``src`` are 6 bytes each."""
    return dst + src + (ETHERTYPE_IPV6 if packet[0] >> 4 == 6 else ETHERTYPE_IPV4) + packet


def _build_ipv4(fields: Fields, proto: int) -> bytes:
    src, dst = socket.inet_aton(fields["src"]), socket.inet_aton(fields["dst"])
    segment, checksum_at = _segment(fields, proto)
    pseudo = src + dst + struct.pack("!HH", proto, len(segment))
    body = _with_checksum(fields, proto, segment, checksum_at, pseudo)
    start, size = fields.get("slice", (0, None))
    body = body[start : None if size is None else start + size]
    options = bytes.fromhex(fields.get("ip_options_hex", ""))
    fragment = fields.get("df", False) << 14 | fields.get("mf", False) << 13 | fields.get("frag", start // 8)
    head = struct.pack(
        "!BBHHHBBH",
        0x45 + len(options) // 4,
        fields.get("tos", 0),
        20 + len(options) + len(body),
        fields.get("id", 1),
        fragment,
        fields.get("ttl", 64),
        proto,
        0,
    )
    head += src + dst + options
    return head[:10] + struct.pack("!H", internet_checksum(head)) + head[12:] + body


def _build_ipv6(fields: Fields, proto: int) -> bytes:
    src, dst = (socket.inet_pton(socket.AF_INET6, fields[key]) for key in ("src", "dst"))
    segment, checksum_at = _segment(fields, proto)
    pseudo = src + dst + struct.pack("!II", len(segment), proto)
    body = _with_checksum(fields, proto, segment, checksum_at, pseudo)
    first = 6 << 28 | fields.get("tos", 0) << 20
    return struct.pack("!IHBB", first, len(body), proto, fields.get("ttl", 64)) + src + dst + body


def _segment(fields: Fields, proto: int) -> tuple[bytes, int | None]:
    """Transport header (checksum still 0) and payload, and where the checksum goes (None: nowhere)."""
    payload = bytes.fromhex(fields["payload_hex"]) if "payload_hex" in fields else fields.get("payload", "").encode()
    if proto in (ICMP, ICMPV6):
        return _icmp(fields, proto, payload), 2
    if proto == TCP:
        return _tcp_header(fields) + payload, 16
    if proto == UDP:
        return struct.pack("!HHHH", fields["sport"], fields["dport"], 8 + len(payload), 0) + payload, 6
    return payload, None


def _icmp(fields: Fields, proto: int, payload: bytes) -> bytes:
    if "inner" in fields:
        rest, payload = struct.pack("!HH", 0, fields.get("mtu", 0)), build(fields["inner"])
    else:
        rest = struct.pack("!HH", fields.get("ident", 1), fields.get("icmp_seq", 1))
    echo_request = 8 if proto == ICMP else 128
    return struct.pack("!BBH", fields.get("type", echo_request), fields.get("code", 0), 0) + rest + payload


def _tcp_header(fields: Fields) -> bytes:
    options = bytes.fromhex(fields.get("tcp_options_hex", ""))
    flags = 0
    for letter in fields.get("flags", "S"):
        flags |= 1 << TCP_FLAGS.index(letter)
    return (
        struct.pack(
            "!HHIIBBHHH",
            fields["sport"],
            fields["dport"],
            fields.get("seq", 1000),
            fields.get("ack", 0),
            (20 + len(options)) << 2,
            flags,
            fields.get("window", 65535),
            0,
            0,
        )
        + options
    )


def _with_checksum(fields: Fields, proto: int, segment: bytes, at: int | None, pseudo: bytes) -> bytes:
    if at is None:
        return segment
    value = internet_checksum((b"" if proto == ICMP else pseudo) + segment)
    if proto == UDP and value == 0:
        value = 0xFFFF  # 0 would mean "no checksum"
    if fields.get("bad_checksum"):
        value ^= 0x5555
    return segment[:at] + struct.pack("!H", value) + segment[at + 2 :]
