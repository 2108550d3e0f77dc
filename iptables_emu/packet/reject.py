"""The answers of REJECT: TCP resets and ICMP errors, byte for byte.

kernel: nf_reject_ipv4.c, nf_reject_ipv6.c, and net/ipv4/icmp.c, net/ipv6/icmp.c for the errors. An error's
source address 0 and IPv4 id 0 are for the host to choose (``Packet.set_src`` keeps the checksums). An IPv4
error does not echo IP options (record route, timestamp, source route) as the kernel does.
"""

from __future__ import annotations

import struct

from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.packet import (
    AH,
    BROADCAST,
    DCCP,
    ESP,
    GRE,
    ICMP,
    ICMPV6,
    MULTICAST,
    NO_NEXT,
    OTHERHOST,
    SCTP,
    TCP,
    UDP,
    UDPLITE,
    Packet,
    pseudo_header,
)  # fmt: skip

FIN, SYN, RST, ACK = 1, 2, 4, 16
# the types that are never answered by an error (net/ipv4/icmp.c: icmp_pointers[].error)
ERROR_TYPES = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12})
HIGHEST_TYPE = 18
QUOTED_4 = 576 - 20 - 8
QUOTED_6 = 1280 - 40 - 8
# their checksum does not cover the whole payload, or they have none (nf_reject_verify_csum)
UNCHECKED = frozenset({GRE, AH, ESP, SCTP, UDPLITE, DCCP})


def unicast6(address: int) -> bool:
    """ipv6_addr_type has IPV6_ADDR_UNICAST: neither multicast nor unspecified."""
    return address != 0 and address >> 120 != 0xFF


def checksum_holds(pkt: Packet) -> bool:
    """Whether REJECT takes the packet's checksum for right; it reads any unknown protocol as one's complement."""
    segment = bytes(pkt.data[pkt.l4 : pkt.length])
    if pkt.proto in UNCHECKED or (pkt.proto == UDP and segment[6:8] == b"\0\0"):
        return True
    if pkt.family == 6 or pkt.proto in (TCP, UDP):
        segment = pseudo_header(pkt.family, pkt.src, pkt.dst, pkt.proto, len(segment)) + segment
    # the IPv4 header, if right a sum of 0xffff, is summed along: so a payload of zeros holds too
    header = bytes(pkt.data[: pkt.l4]) if pkt.family == 4 else b""
    return internet_checksum(header + segment) in (0, 0xFFFF)


def tcp_reset(pkt: Packet, ttl: int = 64) -> bytes | None:
    """The RST for a TCP segment, or None: for a RST, a later fragment, a cut-off header, a wrong checksum.

    ``ttl`` is the host's default TTL or hop limit. IPv4 broadcast and multicast destinations are the
    caller's affair (they are known by the route).
    """
    segment = bytes(pkt.data[pkt.l4 : pkt.length])
    if pkt.proto != TCP or pkt.truncated or len(segment) < 20 or segment[13] & RST:
        return None
    if pkt.frag_offset:
        return None
    if pkt.family == 6 and not (unicast6(pkt.src) and unicast6(pkt.dst)):
        return None
    # conntrack's finding is forgotten when the packet is forwarded, except by ICMP errors
    if not (pkt.sum_valid and not pkt.forwarded) and not checksum_holds(pkt):
        return None
    sport, dport, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", segment)
    if flags & ACK:
        seq, ack, flags = ack, 0, RST
    else:
        ack = seq + bool(flags & SYN) + bool(flags & FIN) + len(segment) - (offset >> 4) * 4 & 0xFFFFFFFF
        seq, flags = 0, RST | ACK
    tcp = struct.pack("!HHIIBBHHH", dport, sport, seq, ack, 5 << 4, flags, 0, 0, 0)
    check = internet_checksum(pseudo_header(pkt.family, pkt.dst, pkt.src, TCP, 20) + tcp)
    tcp = tcp[:16] + check.to_bytes(2, "big") + tcp[18:]
    if pkt.family == 4:
        return ipv4_header(pkt.dst, pkt.src, TCP, len(tcp), ttl, dont_fragment=True) + tcp
    return ipv6_header(pkt.dst, pkt.src, TCP, len(tcp), ttl) + tcp


def unreachable(pkt: Packet, code: int, source: int = 0, ttl: int = 64) -> bytes | None:
    """The destination unreachable error that REJECT sends, or None where it sends none."""
    if pkt.family == 4:
        if pkt.frag_offset or not (pkt.sum_valid or checksum_holds(pkt)):
            return None
        return icmp_error(pkt, 3, code, source=source, ttl=ttl)
    if pkt.truncated or pkt.proto == NO_NEXT or pkt.frag_offset or pkt.l4 >= pkt.length:
        return None
    if not (pkt.sum_valid or checksum_holds(pkt)):
        return None
    return icmp6_error(pkt, 1, code, source=source, ttl=ttl)


def icmp_error(pkt: Packet, kind: int, code: int, rest: int = 0, source: int = 0, ttl: int = 64) -> bytes | None:
    """An ICMP error about an IPv4 packet (icmp_send), or None when the kernel sends none.

    ``rest`` is the second word of the ICMP header (the MTU of "fragmentation needed").
    """
    if pkt.frag_offset or pkt.pkttype in (BROADCAST, MULTICAST, OTHERHOST) or pkt.dst >> 28 == 0xE:
        return None
    whole = bytes(pkt.data[: pkt.length])
    if pkt.proto == ICMP and (pkt.l4 >= len(whole) or whole[pkt.l4] in ERROR_TYPES or whole[pkt.l4] > HIGHEST_TYPE):
        return None
    icmp = struct.pack("!BBHI", kind, code, 0, rest) + pkt.quoted(QUOTED_4)
    icmp = icmp[:2] + internet_checksum(icmp).to_bytes(2, "big") + icmp[4:]
    return ipv4_header(source, pkt.src, ICMP, len(icmp), ttl, tos=pkt.tos & 0x1E | 0xC0) + icmp


def icmp6_error(pkt: Packet, kind: int, code: int, rest: int = 0, source: int = 0, ttl: int = 64) -> bytes | None:
    """An ICMPv6 error about an IPv6 packet (icmp6_send), or None when the kernel sends none."""
    too_big = kind == 2
    if not too_big and (pkt.dst >> 120 == 0xFF or pkt.pkttype in (BROADCAST, MULTICAST, OTHERHOST)):
        return None
    if not unicast6(pkt.src):
        return None
    whole = bytes(pkt.data[: pkt.length])
    if pkt.proto == ICMPV6 and not pkt.truncated:
        readable = pkt.l4 < len(whole)
        # a fragment without the ICMPv6 header counts as no ICMPv6 (RFC 8200)
        if (readable and not whole[pkt.l4] & 0x80) or (not readable and not pkt.frag_offset and not pkt.mf):
            return None
    icmp = struct.pack("!BBHI", kind, code, 0, rest) + pkt.quoted(QUOTED_6)
    check = internet_checksum(pseudo_header(6, source, pkt.src, ICMPV6, len(icmp)) + icmp)
    icmp = icmp[:2] + check.to_bytes(2, "big") + icmp[4:]
    return ipv6_header(source, pkt.src, ICMPV6, len(icmp), ttl) + icmp


def ipv4_header(
    src: int, dst: int, proto: int, size: int, ttl: int, *, tos: int = 0, dont_fragment: bool = False
) -> bytes:
    """An IPv4 header with id 0 in front of ``size`` bytes."""
    flags = 0x4000 if dont_fragment else 0
    head = struct.pack("!BBHHHBBHII", 0x45, tos, 20 + size, 0, flags, ttl, proto, 0, src, dst)
    return head[:10] + internet_checksum(head).to_bytes(2, "big") + head[12:]


def ipv6_header(src: int, dst: int, proto: int, size: int, ttl: int) -> bytes:
    """An IPv6 header with traffic class and flow label 0 in front of ``size`` bytes."""
    return struct.pack("!IHBB", 6 << 28, size, proto, ttl) + src.to_bytes(16, "big") + dst.to_bytes(16, "big")
