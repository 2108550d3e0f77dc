"""A packet in a few words, for people: ``10.0.0.5:4000 > 1.2.3.4:80 tcp``."""

from __future__ import annotations

from iptables_emu.model.address import show
from iptables_emu.options import names
from iptables_emu.packet.fields import FIELDS
from iptables_emu.packet.icmp_names import ICMP_NAMES
from iptables_emu.packet.packet import ICMP, ICMPV6, TCP, Malformed, Packet

WITH_PORTS = frozenset({6, 17, 33, 132, 136})
FAMILY_OF_ICMP = {ICMP: 4, ICMPV6: 6}


def brief(data: bytes, detail: bool = False) -> str:
    """Addresses, ports and protocol of an IP packet; with ``detail`` also TCP flags, and the TTL."""
    try:
        return _brief(Packet(data), detail)
    except (Malformed, IndexError):
        return f"{len(data)} bytes that are no IP packet"


def brief_frame(frame: bytes) -> str:
    """The same of an Ethernet frame."""
    return brief(frame[14:])


def _brief(pkt: Packet, detail: bool) -> str:
    src, dst = show(pkt.src, pkt.family), show(pkt.dst, pkt.family)
    ports = [FIELDS[name].get(pkt) for name in ("sport", "dport")] if pkt.proto in WITH_PORTS else [None, None]
    if ports[0] is not None and ports[1] is not None:
        src, dst = (f"[{a}]:{p}" if ":" in a else f"{a}:{p}" for a, p in ((src, ports[0]), (dst, ports[1])))
    text = f"{src} > {dst} {_protocol(pkt)}"
    if pkt.frag_offset:
        text += f" fragment at {pkt.frag_offset}"
    if detail:
        flags = FIELDS["tcp_flags"].get(pkt) if pkt.proto == TCP else None
        text += "" if flags is None else f" {FIELDS['tcp_flags'].text(flags).lower()}"
        text += f" {'ttl' if pkt.family == 4 else 'hop limit'} {pkt.ttl}"
    return text


def _protocol(pkt: Packet) -> str:
    name = names.protocol_name(pkt.proto, lookup=True) if pkt.proto else "hopopt"
    if pkt.proto not in FAMILY_OF_ICMP:
        return name or f"protocol {pkt.proto}"
    kind, code = FIELDS["icmp_type"].get(pkt), FIELDS["icmp_code"].get(pkt)
    name = "icmp" if pkt.proto == ICMP else "icmpv6"
    if kind is None or code is None:
        return name
    known = ICMP_NAMES[FAMILY_OF_ICMP[pkt.proto]]
    called = next((word for word, value in known.items() if value == (kind, code)), f"type {kind} code {code}")
    return f"{name} {called}"
