"""Which socket of the host a packet belongs to (kernel: nf_socket_ipv4.c, nf_socket_ipv6.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack.tuples import ESTABLISHED_REPLY, RELATED_REPLY, SRC_NAT_DONE
from iptables_emu.packet.packet import ICMP, ICMPV6, TCP, UDP, Malformed, Packet

if TYPE_CHECKING:
    from iptables_emu.host.sockets import Socket, Sockets

HEADER = {TCP: 20, UDP: 8}
ERRORS4 = frozenset({3, 4, 5, 11, 12})
End = tuple[int, int]  # address, port


def socket_of(pkt: Packet, sockets: Sockets) -> Socket | None:
    """The socket that takes the packet, or whose packet an ICMP error quotes."""
    if pkt.sk is not None:
        return pkt.sk
    if pkt.proto in HEADER:
        head = None if pkt.frag_offset else pkt.transport(HEADER[pkt.proto])
        if head is None:
            return None
        proto, source, local = pkt.proto, (pkt.src, _port(head, 0)), (pkt.dst, _port(head, 2))
    else:
        found = _quoted(pkt)
        if found is None:
            return None
        proto, source, local = found
    return sockets.find(proto, pkt.family, source, _before_nat(pkt, local))


def _port(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _quoted(pkt: Packet) -> tuple[int, End, End] | None:
    """Of an ICMP error: protocol, far end and own end of the packet that it is about."""
    error = pkt.transport(8)
    is_error = pkt.family == 4 and pkt.proto == ICMP and error is not None and error[0] in ERRORS4
    is_error = is_error or (pkt.proto == ICMPV6 and error is not None and error[0] < 128)
    if not is_error or error is None:
        return None
    try:
        inner = Packet(error[8:])
    except Malformed:
        return None
    if inner.family != pkt.family or inner.proto not in HEADER or len(inner.data) < inner.l4 + 4:
        return None
    ports = bytes(inner.data[inner.l4 : inner.l4 + 4])
    return inner.proto, (inner.dst, _port(ports, 2)), (inner.src, _port(ports, 0))


def _before_nat(pkt: Packet, local: End) -> End:
    """A reply to a masqueraded connection is looked up by the socket's own address and port (IPv4 alone)."""
    conn = pkt.ct
    about = RELATED_REPLY if pkt.proto == ICMP else ESTABLISHED_REPLY
    if pkt.family == 4 and conn is not None and pkt.ctinfo == about and conn.status & SRC_NAT_DONE:
        return conn.original.src, conn.original.sport
    return local
