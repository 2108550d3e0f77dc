"""A packet's headers as nft prints them in a trace: fields by name, what is left of 20 bytes in hexadecimal."""

from __future__ import annotations

import struct
from typing import Final

from iptables_emu.model.address import show
from iptables_emu.options import names
from iptables_emu.packet.packet import ICMP, ICMPV6, SCTP, TCP, UDP, Malformed, Packet
from iptables_emu.packet.printable import printable
from iptables_emu.trace.events import TableEntered

SEEN: Final = 20  # bytes of the transport header in a trace message
AH, ESP = 51, 50
DSCP: Final = {
    **{8 * n: f"cs{n}" for n in range(8)}, 1: "lephb", 10: "af11", 12: "af12", 14: "af13", 18: "af21", 20: "af22",
    22: "af23", 26: "af31", 28: "af32", 30: "af33", 34: "af41", 36: "af42", 38: "af43", 46: "ef",
}  # fmt: skip
ECN: Final = ("not-ect", "ect1", "ect0", "ce")
TCP_FLAGS: Final = {1: "fin", 2: "syn", 4: "rst", 8: "psh", 16: "ack", 32: "urg", 64: "ecn", 128: "cwr"}
ICMP_TYPES: Final = {
    0: "echo-reply", 3: "destination-unreachable", 4: "source-quench", 5: "redirect", 8: "echo-request",
    9: "router-advertisement", 10: "router-solicitation", 11: "time-exceeded", 12: "parameter-problem",
    13: "timestamp-request", 14: "timestamp-reply", 15: "info-request", 16: "info-reply", 17: "address-mask-request",
    18: "address-mask-reply",
}  # fmt: skip
ICMP_CODES: Final = {0: "net-unreachable", 1: "host-unreachable", 2: "prot-unreachable", 3: "port-unreachable",
                     4: "frag-needed", 9: "net-prohibited", 10: "host-prohibited", 13: "admin-prohibited"}  # fmt: skip
ICMPV6_TYPES: Final = {
    1: "destination-unreachable", 2: "packet-too-big", 3: "time-exceeded", 4: "parameter-problem", 128: "echo-request",
    129: "echo-reply", 130: "mld-listener-query", 131: "mld-listener-report", 132: "mld-listener-done",
    133: "nd-router-solicit", 134: "nd-router-advert", 135: "nd-neighbor-solicit", 136: "nd-neighbor-advert",
    137: "nd-redirect", 138: "router-renumbering", 143: "mld2-listener-report",
}  # fmt: skip
ICMPV6_CODES: Final = {0: "no-route", 1: "admin-prohibited", 3: "addr-unreachable", 4: "port-unreachable",
                       5: "policy-fail", 6: "reject-route"}  # fmt: skip


def headers(event: TableEntered, eth: bytes) -> str:
    """``iif "eth0" ether saddr ... ip saddr ... tcp sport ...``."""
    parts = [f'iif "{printable(event.iif)}"'] if event.iif else []
    parts += [f'oif "{printable(event.oif)}"'] if event.oif else []
    if event.iif == "lo":
        parts.append(f"@ll,0,112 {'0x86dd' if event.data[0] >> 4 == 6 else '0x800'}")
    elif event.iif and len(eth) >= 12:
        parts.append(f"ether saddr {eth[6:12].hex(':')} ether daddr {eth[:6].hex(':')}")
    try:
        pkt = Packet(event.data)
    except Malformed:
        return " ".join(parts)
    known, rest = _transport(pkt)
    return " ".join([*parts, _network(pkt, named=bool(known)), *known, *rest])


def _network(pkt: Packet, named: bool) -> str:
    ip = "ip" if pkt.family == 4 else "ip6"
    src, dst = show(pkt.src, pkt.family), show(pkt.dst, pkt.family)
    dscp, ecn = pkt.tos >> 2, ECN[pkt.tos & 3]
    text = f"{ip} saddr {src} {ip} daddr {dst} {ip} dscp {DSCP.get(dscp, f'0x{dscp:02x}')} {ip} ecn {ecn}"
    first = pkt.proto if pkt.family == 4 else pkt.first_proto
    name = names.protocol_name(first, lookup=True) or (first if first else "ip")
    if pkt.family == 4:
        middle = "" if named else f" ip protocol {name}"
        return f"{text} ip ttl {pkt.ttl} ip id {pkt.ident}{middle} ip length {pkt.length}"
    middle = "" if named else f" ip6 nexthdr {name}"
    label = int.from_bytes(pkt.data[1:4], "big") & 0xFFFFF
    return f"{text} ip6 hoplimit {pkt.ttl} ip6 flowlabel {label}{middle} ip6 length {pkt.length - 40}"


def _transport(pkt: Packet) -> tuple[list[str], list[str]]:
    """(fields of a known protocol, the rest of what the message holds)."""
    body = bytes(pkt.data[pkt.l4 : pkt.l4 + SEEN])
    known: list[str] = []
    used = 0
    if pkt.frag_offset:
        return known, _raw(body, 0)
    if pkt.proto == TCP and len(body) >= 20:
        sport, dport, flags, window = struct.unpack_from("!HH9xBH", body)
        shown = TCP_FLAGS.get(flags, f"0x{flags:x}")
        known, used = [f"tcp sport {sport} tcp dport {dport} tcp flags == {shown} tcp window {window}"], 20
    elif pkt.proto == UDP and len(body) >= 8:
        sport, dport, length = struct.unpack_from("!HHH", body)
        known, used = [f"udp sport {sport} udp dport {dport} udp length {length}"], 8
    elif pkt.proto == SCTP and len(body) >= 12:
        sport, dport, tag = struct.unpack_from("!HHI", body)
        known, used = [f"sctp sport {sport} sctp dport {dport} sctp vtag {tag}"], 12
    elif pkt.proto == ESP and len(body) >= 8:
        known, used = ["esp spi {} esp sequence {}".format(*struct.unpack_from("!II", body))], 8
    elif pkt.proto in (ICMP, ICMPV6) and len(body) >= 8:
        known, used = [_icmp(pkt.proto, body)], 8
    return known, _raw(body, used)


def _icmp(proto: int, body: bytes) -> str:
    kind, code, ident, sequence = struct.unpack_from("!BBxxHH", body)
    if proto == ICMP:
        head = f"icmp type {ICMP_TYPES.get(kind, kind)} icmp code {ICMP_CODES.get(code, code)}"
        return f"{head} icmp id {ident} icmp sequence {sequence}"
    head = f"icmpv6 type {ICMPV6_TYPES.get(kind, kind)} icmpv6 code {ICMPV6_CODES.get(code, code)}"
    return f"{head} icmpv6 parameter-problem {ident << 16 | sequence}"


def _raw(body: bytes, used: int) -> list[str]:
    rest = body[used:]
    return [f"@th,{used * 8},{len(rest) * 8} 0x{int.from_bytes(rest, 'big'):x}"] if rest else []
