"""ICMP packets that the host makes: errors and replies (kernel: icmp.c, ipv6/icmp.c)."""

from __future__ import annotations

from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.headers import ipv4, ipv6, tcp
from iptables_emu.packet.packet import ICMP, ICMPV6, Packet, pseudo_header

ERRORS4 = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12})  # never answered by an error (icmp_pointers)
QUOTE4, QUOTE6 = 576, 1280  # an error is never longer than this
MD5, MD5_SIZE, AUTHENTICATION = 19, 18, 29  # options of TCP


def may_answer(pkt: Packet) -> bool:
    """Whether an error about this IPv4 packet may be sent at all."""
    if pkt.pkttype != 0 or pkt.frag_offset:
        return False
    if pkt.dst == 0xFFFFFFFF or pkt.dst >> 28 == 14:
        return False
    if pkt.proto == ICMP:
        kind = pkt.data[pkt.l4] if len(pkt.data) > pkt.l4 else None
        return kind is not None and kind not in ERRORS4 and kind <= 18
    return True


def error4(pkt: Packet, src: int, kind: int, code: int, info: int = 0, mtu: int = QUOTE4) -> bytes:
    """An ICMP error about a packet, to its source. ``info``: the second word (MTU, gateway); ``mtu``: of its way."""
    quote = pkt.quoted(min(mtu, QUOTE4) - 28)
    body = bytes((kind, code, 0, 0)) + info.to_bytes(4, "big") + quote
    body = body[:2] + internet_checksum(body).to_bytes(2, "big") + body[4:]
    return ipv4(src, pkt.src, ICMP, body, tos=pkt.tos & 0x1E | 0xC0)


def error6(pkt: Packet, src: int, kind: int, code: int, info: int = 0) -> bytes:
    """An ICMPv6 error about a packet, to its source."""
    quote = pkt.quoted(QUOTE6 - 48)
    return icmp6(src, pkt.src, bytes((kind, code, 0, 0)) + info.to_bytes(4, "big") + quote)


def icmp6(src: int, dst: int, body: bytes, *, tos: int = 0, ttl: int = 64) -> bytes:
    """An ICMPv6 message with its checksum."""
    check = internet_checksum(pseudo_header(6, src, dst, ICMPV6, len(body)) + body)
    return ipv6(src, dst, ICMPV6, body[:2] + check.to_bytes(2, "big") + body[4:], tos=tos, ttl=ttl)


def echo_reply(pkt: Packet, src: int) -> bytes:
    """The answer to an IPv4 echo request."""
    body = bytes(pkt.data[pkt.l4 : pkt.length])
    reply = b"\0" + body[1:2] + b"\0\0" + body[4:]
    reply = reply[:2] + internet_checksum(reply).to_bytes(2, "big") + reply[4:]
    return ipv4(src, pkt.src, ICMP, reply, tos=pkt.tos)


def timestamp_reply(pkt: Packet, src: int, now_ns: int) -> bytes:
    """The answer to a timestamp request: milliseconds since midnight UT."""
    body = bytes(pkt.data[pkt.l4 : pkt.length])
    stamp = (now_ns // 1_000_000 % 86_400_000).to_bytes(4, "big")
    reply = b"\x0e\0\0\0" + body[4:12] + stamp + stamp
    reply = reply[:2] + internet_checksum(reply).to_bytes(2, "big") + reply[4:]
    return ipv4(src, pkt.src, ICMP, reply, tos=pkt.tos)


def _signed(segment: bytes, family: int) -> bool:
    """Whether options hold a signature, or are wrong where one is looked for (tcp_do_parse_auth_options).

    A kernel without TCP-AO answers over IPv6 as if that option said nothing, unless it is there twice.
    """
    at, end, seen = 20, (segment[12] >> 4) * 4, 0
    while end - at >= MD5_SIZE and segment[at] != 0:
        if segment[at] == 1:
            at += 1
            continue
        kind, size = segment[at], segment[at + 1]
        seen += kind == AUTHENTICATION
        if kind == MD5 or size < 2 or size > end - at or seen > (family == 6) or (kind == AUTHENTICATION and size <= 4):
            return True
        at += size
    return False


def tcp_reset(pkt: Packet) -> bytes | None:
    """The stack's RST for a segment that no socket wants (tcp_v4_send_reset); None for a RST and a signed one."""
    segment = bytes(pkt.data[pkt.l4 : pkt.length])
    flags = segment[13]
    if flags & 4 or _signed(segment, pkt.family):
        return None
    seq, ack, out_flags = 0, 0, 0x04
    if flags & 0x10:
        seq = int.from_bytes(segment[8:12], "big")
    else:
        size = (segment[12] >> 4) * 4
        length = len(segment) - size + bool(flags & 2) + bool(flags & 1)
        ack = int.from_bytes(segment[4:8], "big") + length & 0xFFFFFFFF
        out_flags = 0x14
    return tcp(pkt.family, pkt.dst, pkt.src, segment[2:4] + segment[:2], seq, ack, out_flags, 0, tos=pkt.tos & 0xFC)
