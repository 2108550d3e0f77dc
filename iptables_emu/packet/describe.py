"""One line of text for a packet, as observations give it in ``summary``, ``seen`` and ``header``."""

from __future__ import annotations

import socket
import struct

from iptables_emu.packet.build import ETHERTYPE_IPV4, ETHERTYPE_IPV6, ICMP, ICMPV6, TCP, TCP_FLAGS, UDP

ICMP_ERRORS = (3, 4, 5, 11, 12)


def describe(packet: bytes) -> str:
    """Summary of an IP packet (no link-layer header): addresses, ports, protocol, TTL, what an ICMP error quotes.

    Data cut off too early for its protocol is told as ``truncated <hex>``.
    """
    try:
        return _describe_ipv6(packet) if packet[0] >> 4 == 6 else _describe_ipv4(packet)
    except (struct.error, IndexError, ValueError, OSError):
        return f"truncated {packet.hex()}"


def describe_frame(frame: bytes) -> str:
    """Summary of an Ethernet frame; one that holds no IP is told by its ethertype."""
    if frame[12:14] in (ETHERTYPE_IPV4, ETHERTYPE_IPV6):
        return describe(frame[14:])
    return f"ethertype {frame[12:14].hex()}"


def _describe_ipv4(packet: bytes) -> str:
    ident, fragment, ttl, proto = struct.unpack_from("!HHBB", packet, 4)
    src, dst = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
    extra = f"ttl {ttl} id {ident}"
    if fragment & 0x4000:
        extra += " DF"
    if fragment & 0x3FFF:
        more = "+" if fragment & 0x2000 else ""
        extra += f" frag {(fragment & 0x1FFF) * 8}{more}"
        if fragment & 0x1FFF:  # a later fragment has no transport header
            return f"{src} > {dst} proto {proto} {extra}"
    if packet[1]:
        extra += f" tos {packet[1]:#x}"
    header_length = (packet[0] & 15) * 4
    return _describe_transport(src, dst, proto, packet[header_length:], extra)


def _describe_ipv6(packet: bytes) -> str:
    proto, hop_limit = packet[6], packet[7]
    src, dst = (socket.inet_ntop(socket.AF_INET6, packet[at : at + 16]) for at in (8, 24))
    return _describe_transport(src, dst, proto, packet[40:], f"hl {hop_limit}")


def _describe_transport(src: str, dst: str, proto: int, body: bytes, extra: str) -> str:
    if proto in (TCP, UDP):
        sport, dport = struct.unpack_from("!HH", body)
        name = "udp" if proto == UDP else "tcp"
        if proto == TCP and len(body) > 13:
            flags = "".join(letter for bit, letter in enumerate(TCP_FLAGS) if body[13] >> bit & 1)
            (sequence,) = struct.unpack_from("!I", body, 4)
            name += f" {flags or '-'} seq {sequence}"
        return f"{src}:{sport} > {dst}:{dport} {name} {extra}"
    if proto in (ICMP, ICMPV6):
        name = "icmp" if proto == ICMP else "icmpv6"
        line = f"{src} > {dst} {name} type {body[0]} code {body[1]} {extra}"
        is_error = body[0] in ICMP_ERRORS if proto == ICMP else body[0] < 128
        return f"{line} [{describe(body[8:])}]" if is_error and len(body) > 28 else line
    return f"{src} > {dst} proto {proto} {extra}"
