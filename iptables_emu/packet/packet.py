"""One packet on its way: its bytes, the parsed header fields, and what the kernel keeps beside it.

``data`` holds the packet from the IP header on. The parsed fields are refreshed by :meth:`Packet.refresh`
after every change; the setters keep checksums as the kernel does, by difference, so that a wrong
transport checksum stays wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from iptables_emu.packet.checksum import internet_checksum

if TYPE_CHECKING:
    from iptables_emu.conntrack.table import Conn
    from iptables_emu.engine.ip_options import IpOptions
    from iptables_emu.host.sockets import Socket
    from iptables_emu.packet.spec import PacketSpec

ICMP, TCP, UDP, DCCP, GRE, ESP, AH, ICMPV6, SCTP, UDPLITE = 1, 6, 17, 33, 47, 50, 51, 58, 132, 136
HOPOPTS, ROUTING, FRAGMENT, DSTOPTS, NO_NEXT, MOBILITY = 0, 43, 44, 60, 59, 135
EXTENSION_HEADERS = frozenset({HOPOPTS, ROUTING, FRAGMENT, AH, DSTOPTS, NO_NEXT})
CHECKSUM_AT = {TCP: 16, UDP: 6, UDPLITE: 6, DCCP: 6, ICMPV6: 2}  # those with a pseudo header

# skb->pkt_type
HOST, BROADCAST, MULTICAST, OTHERHOST, OUTGOING, LOOPBACK = 0, 1, 2, 3, 4, 5
NO_FILE = -1  # uid of the kernel's own sockets, which belong to no process


class Malformed(ValueError):
    """The bytes are no IP packet that the kernel's input would take; the text says why."""


class Packet:
    """Addresses are integers, lengths bytes, ``frag_offset`` bytes; interfaces are names ("" is none)."""

    __slots__ = (
        "ct",
        "ctinfo",
        "data",
        "df",
        "dst",
        "eth",
        "family",
        "first_proto",
        "forwarded",
        "frag_df",
        "frag_head",
        "frag_max",
        "frag_named",
        "frag_offset",
        "frag_sizes",
        "gateway",
        "gid",
        "half_open",
        "hotdrop",
        "ident",
        "ignore_df",
        "iif",
        "ip_options",
        "ipid_own",
        "l4",
        "length",
        "link",
        "mark",
        "mf",
        "mtu",
        "nat_done",
        "number",
        "oif",
        "pending_checksum",
        "physin",
        "physout",
        "pkttype",
        "priority",
        "proto",
        "proto_before_ah",
        "realm",
        "related_to_untracked",
        "routed_here",
        "secmark",
        "sk",
        "socket",
        "src",
        "sum_total",
        "sum_valid",
        "tos",
        "truncated",
        "ttl",
        "uid",
        "untracked",
    )  # fmt: skip

    def __init__(
        self, data: bytes | bytearray, *, iif: str = "", oif: str = "", mark: int = 0, eth: bytes = b""
    ) -> None:
        self.data = bytearray(data)
        self.iif, self.oif, self.mark, self.eth = iif, oif, mark, eth
        self.priority = self.realm = 0
        self.secmark = ""  # a security context
        self.pkttype = HOST
        self.uid: int | None = None  # of the sending socket
        self.gid: int | None = None
        self.routed_here = False  # its route ends at this host (RTCF_LOCAL)
        self.socket = False  # a socket of this host sent it
        self.half_open = False  # sent for a connection that is not made yet (request_sock)
        self.sk: Socket | None = None  # its sender, or that it is for, where that is known before its delivery
        self.ct: Conn | None = None
        self.ctinfo = 0
        self.untracked = False
        self.related_to_untracked = False  # made about such a packet: what is set already, no rule sets (nf_ct_attach)
        self.hotdrop = False
        self.forwarded = False
        self.ipid_own = False  # the host chose the IP id
        self.pending_checksum = False  # it is summed up only where the packet leaves (CHECKSUM_PARTIAL)
        self.nat_done = False
        self.sum_total: int | None = None  # of all bytes, of an IPv6 datagram that conntrack has summed up
        self.sum_valid = False  # conntrack has found the transport checksum right
        self.ip_options: IpOptions | None = None  # as routing read them at input
        self.physin = self.physout = ""  # ports of a bridge: came in by, will leave by
        self.link = ""  # by which link IPv6 takes it to have come, where that is not iif
        self.frag_df = False  # fragments that are made anew get DF (IPSKB_FRAG_PMTU)
        self.ignore_df = False  # it may be taken apart again in spite of its DF: conntrack put it together
        self.frag_max = 0  # largest fragment it was put together from
        self.frag_sizes: tuple[int, ...] = ()
        self.frag_head = 0  # bytes before the first fragment's payload
        self.frag_named = 6  # where the stack then looks for the number of IPv6's next header
        self.number = 0  # of this packet in the trace
        self.mtu = 0  # of the route it takes (dst_mtu), 0 where it has none
        self.gateway: int | None = None  # of that route, where it is of the packet's family
        self.refresh()

    @classmethod
    def from_spec(cls, spec: PacketSpec) -> Self:
        """The packet that the packet language describes; ``oif`` and ``socket`` say where it starts."""
        mac = bytes.fromhex(spec.mac.replace(":", "")) if spec.mac else bytes(6)
        pkt = cls(spec.build(), iif=spec.iif, oif=spec.oif, mark=spec.mark, eth=bytes(6) + mac + bytes(2))
        pkt.socket, pkt.uid = spec.local, spec.uid
        pkt.gid = spec.uid
        return pkt

    @classmethod
    def parse(cls, *words: str) -> Self:
        """A packet as people write it: one sentence, or iptables' flags as words. Raises PacketError."""
        from iptables_emu.packet.spec import parse_packet

        return cls.from_spec(parse_packet(words))

    # -- reading ----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the header fields anew. Raises Malformed when there is no IP header."""
        data = self.data
        if not data:
            raise Malformed("empty packet")
        self.family = data[0] >> 4
        if self.family == 4:
            self._parse4(data)
        elif self.family == 6:
            self._parse6(data)
        else:
            raise Malformed(f"IP version {self.family}")

    def _parse4(self, data: bytearray) -> None:
        header = (data[0] & 15) * 4
        if header < 20 or len(data) < header:
            raise Malformed("IPv4 header is cut off")
        self.length = int.from_bytes(data[2:4], "big")
        self.tos, self.ttl, self.proto = data[1], data[8], data[9]
        self.ident = int.from_bytes(data[4:6], "big")
        flags = int.from_bytes(data[6:8], "big")
        self.df, self.mf, self.frag_offset = bool(flags & 0x4000), bool(flags & 0x2000), (flags & 0x1FFF) * 8
        self.src, self.dst = int.from_bytes(data[12:16], "big"), int.from_bytes(data[16:20], "big")
        self.l4 = header
        self.first_proto = self.proto_before_ah = self.proto
        self.truncated = False

    def _parse6(self, data: bytearray) -> None:
        if len(data) < 40:
            raise Malformed("IPv6 header is cut off")
        self.length = 40 + int.from_bytes(data[4:6], "big")
        self.tos = (data[0] & 15) << 4 | data[1] >> 4
        self.ttl = data[7]
        self.ident, self.df, self.mf, self.frag_offset = 0, True, False, 0
        self.src, self.dst = int.from_bytes(data[8:24], "big"), int.from_bytes(data[24:40], "big")
        self.first_proto = data[6]
        self._walk6(data)

    def _walk6(self, data: bytearray) -> None:
        """Skip the extension headers (kernel: ipv6_find_hdr); sets l4, proto and the fragment fields."""
        proto, at, before_ah = data[6], 40, -1
        self.truncated = False
        while proto in EXTENSION_HEADERS and proto != NO_NEXT:
            if at + (4 if proto in (ROUTING, FRAGMENT) else 2) > len(data):  # all that ipv6_find_hdr reads
                self.truncated = True
                break
            if proto == FRAGMENT:
                word = int.from_bytes(data[at + 2 : at + 4], "big")
                self.frag_offset, self.mf = word & 0xFFF8, bool(word & 1)
                self.ident = int.from_bytes(data[at + 4 : at + 8], "big")
                size = 8
            elif proto == AH:
                before_ah = AH if before_ah < 0 else before_ah
                size = (data[at + 1] + 2) * 4
            else:
                size = (data[at + 1] + 1) * 8
            proto, at = data[at], at + size
            if self.frag_offset:
                self.truncated = proto in EXTENSION_HEADERS and proto != NO_NEXT
                break
        self.proto, self.l4 = proto, at
        self.proto_before_ah = before_ah if before_ah >= 0 else proto

    def transport(self, size: int = 0) -> bytes | None:
        """The transport header and payload of a first fragment, None when it has fewer than ``size`` bytes."""
        if self.frag_offset or len(self.data) - self.l4 < size:
            return None
        return bytes(self.data[self.l4 :])

    @property
    def payload_length(self) -> int:
        """Bytes behind the IP header(s)."""
        return len(self.data) - self.l4

    @property
    def source_mac(self) -> int | None:
        """Source MAC address of an Ethernet frame that came in, None without one."""
        return int.from_bytes(self.eth[6:12], "big") if len(self.eth) >= 12 else None

    def copy(self) -> Self:
        """A packet of its own with the same bytes and metadata (skb_copy)."""
        other = type(self)(bytes(self.data))
        for name in Packet.__slots__:
            if name != "data":
                setattr(other, name, getattr(self, name))
        return other

    def pull(self, size: int) -> None:
        """Somebody writes into the first bytes of the transport header: they come to lie in the first piece, which
        the fragments that it leaves in then follow (skb_ensure_writable)."""
        if len(self.data) - self.l4 < size:
            return
        sizes = list(self.frag_sizes)
        size += self.l4 - self.frag_head if self.family == 6 else 0
        while len(sizes) > 1 and sizes[0] < size:
            taken = min(size - sizes[0], sizes[1])
            sizes[:2] = [sizes[0] + taken, sizes[1] - taken] if taken < sizes[1] else [sizes[0] + taken]
        self.frag_sizes = tuple(sizes)

    def quoted(self, most: int) -> bytes:
        """The packet as an ICMP error quotes it, up to ``most`` bytes."""
        return self.as_held()[:most]

    def as_held(self) -> bytes:
        """The packet as the kernel has it in memory: a pending checksum is the pseudo header's."""
        data = bytes(self.data[: self.length])
        place = self.l4 + CHECKSUM_AT.get(self.proto, 0)
        if self.pending_checksum and self.proto in (TCP, UDP) and not self.frag_offset and len(data) >= place + 2:
            size = len(data) - self.l4
            partial = internet_checksum(pseudo_header(self.family, self.src, self.dst, self.proto, size)) ^ 0xFFFF
            data = data[:place] + partial.to_bytes(2, "big") + data[place + 2 :]
        return data

    # -- writing ----------------------------------------------------------------------------

    def set_src(self, value: int) -> None:
        self._set_address(value, 12 if self.family == 4 else 8)

    def set_dst(self, value: int) -> None:
        self._set_address(value, 16 if self.family == 4 else 24)

    def _set_address(self, value: int, at: int) -> None:
        size = 4 if self.family == 4 else 16
        new, old = value.to_bytes(size, "big"), bytes(self.data[at : at + size])
        self.data[at : at + size] = new
        if self.family == 4:
            self._adjust_header_checksum(old, new)
        if not self.frag_offset:
            self.adjust_transport_checksum(old, new)
        self.refresh()

    def set_ttl(self, value: int) -> None:
        at = 8 if self.family == 4 else 7
        old = bytes(self.data[8:10])
        self.data[at] = value
        if self.family == 4:
            self._adjust_header_checksum(old, bytes(self.data[8:10]))
        self.refresh()

    def set_tos(self, value: int) -> None:
        if self.family == 4:
            old = bytes(self.data[:2])
            self.data[1] = value
            self._adjust_header_checksum(old, bytes(self.data[:2]))
        else:
            self.data[0] = 0x60 | value >> 4
            self.data[1] = (value & 15) << 4 | self.data[1] & 15
        self.refresh()

    def set_l4(self, at: int, new: bytes, pseudo: bool = True) -> None:
        """Overwrite bytes of the transport header at offset ``at``, keeping its checksum by difference."""
        start = self.l4 + at
        old = bytes(self.data[start : start + len(new)])
        self.data[start : start + len(new)] = new
        if pseudo:
            self.adjust_transport_checksum(old, new)
        self.refresh()

    def adjust_transport_checksum(self, old: bytes, new: bytes) -> None:
        """Account for a change in what the transport checksum covers (kernel: inet_proto_csum_replace*)."""
        at = CHECKSUM_AT.get(self.proto)
        if at is None or self.proto == DCCP or self.l4 + at + 2 > len(self.data):
            return
        start = self.l4 + at
        check = int.from_bytes(self.data[start : start + 2], "big")
        if self.proto == UDP and check == 0:
            return
        check = adjust_checksum(check, old, new)
        if self.proto == UDP and check == 0:
            check = 0xFFFF
        self.data[start : start + 2] = check.to_bytes(2, "big")

    def replace(self, data: bytes) -> None:
        """Other bytes altogether (payload mangling, reassembly); lengths and checksums are the caller's."""
        self.data = bytearray(data)
        self.refresh()

    def _adjust_header_checksum(self, old: bytes, new: bytes) -> None:
        """A wrong checksum stays wrong: the options of a packet that came in may have been filled in already."""
        check = int.from_bytes(self.data[10:12], "big")
        self.data[10:12] = adjust_checksum(check, old, new).to_bytes(2, "big")

    def _ip_checksum(self) -> None:
        header = (self.data[0] & 15) * 4
        self.data[10:12] = b"\0\0"
        self.data[10:12] = internet_checksum(bytes(self.data[:header])).to_bytes(2, "big")

    def refresh_ip_checksum(self) -> None:
        """Recompute the IPv4 header checksum (and the parsed fields)."""
        if self.family == 4:
            self._ip_checksum()
        self.refresh()


def adjust_checksum(check: int, old: bytes, new: bytes) -> int:
    """RFC 1624: the checksum after ``old`` (even length) became ``new``."""
    total = ~check & 0xFFFF
    for i in range(0, len(old), 2):
        total += ~int.from_bytes(old[i : i + 2], "big") & 0xFFFF
    for i in range(0, len(new), 2):
        total += int.from_bytes(new[i : i + 2], "big")
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(family: int, src: int, dst: int, proto: int, length: int) -> bytes:
    """What TCP, UDP and ICMPv6 checksums cover besides the segment."""
    if family == 4:
        return src.to_bytes(4, "big") + dst.to_bytes(4, "big") + bytes((0, proto)) + length.to_bytes(2, "big")
    return src.to_bytes(16, "big") + dst.to_bytes(16, "big") + length.to_bytes(4, "big") + bytes((0, 0, 0, proto))


def transport_checksum_good(pkt: Packet, *, beyond: bool = False) -> bool:
    """Whether the transport checksum of a whole packet holds (unknown protocols: yes).

    ``beyond``: what stands behind the length that UDP names is summed, too (netfilter's nf_ip_checksum).
    """
    segment = bytes(pkt.data[pkt.l4 : pkt.length])
    if pkt.proto == ICMP:
        return internet_checksum(segment) == 0
    at = CHECKSUM_AT.get(pkt.proto)
    if at is None:
        return True
    if pkt.proto == UDP and segment[6:8] == b"\0\0":
        return pkt.family == 4
    if pkt.proto == UDP and not beyond:
        segment = segment[: int.from_bytes(segment[4:6], "big")] if len(segment) >= 6 else segment
    pseudo = pseudo_header(pkt.family, pkt.src, pkt.dst, pkt.proto, len(segment))
    return internet_checksum(pseudo + segment) == 0
