"""What REJECT answers, and whether it does (kernel: nf_reject_ipv4.c, nf_reject_ipv6.c)."""

from __future__ import annotations

import struct

from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.headers import tcp
from iptables_emu.packet.packet import AH, ESP, GRE, NO_NEXT, SCTP, TCP, UDP, UDPLITE, Packet, pseudo_header

FIN, SYN, RST, ACK = 1, 2, 4, 16
# their checksum does not cover the whole payload, or they have none (nf_reject_verify_csum)
UNCHECKED = frozenset({GRE, AH, ESP, SCTP, UDPLITE})


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


def tcp_reset(pkt: Packet) -> bytes | None:
    """The RST for a TCP segment, or None: for a RST, a later fragment, a cut-off header, a wrong checksum.

    IPv4 broadcast and multicast destinations are the caller's affair (they are known by the route).
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
    seq, ack, offset, flags = struct.unpack_from("!IIBB", segment, 4)
    if flags & ACK:
        seq, ack, flags = ack, 0, RST
    else:
        ack = seq + bool(flags & SYN) + bool(flags & FIN) + len(segment) - (offset >> 4) * 4 & 0xFFFFFFFF
        seq, flags = 0, RST | ACK
    return tcp(pkt.family, pkt.dst, pkt.src, segment[2:4] + segment[:2], seq, ack, flags, 0)


def may_answer(pkt: Packet) -> bool:
    """Whether REJECT sends an ICMP error about the packet at all (nf_send_unreach, nf_send_unreach6)."""
    if pkt.frag_offset or not (pkt.sum_valid or checksum_holds(pkt)):
        return False
    return pkt.family == 4 or not (pkt.truncated or pkt.proto == NO_NEXT or pkt.l4 >= pkt.length)
