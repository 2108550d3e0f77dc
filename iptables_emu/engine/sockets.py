"""What a connecting socket of the host sends first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from iptables_emu.engine.asked import Said
from iptables_emu.model.address import network
from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.headers import ipv4, ipv6, tcp
from iptables_emu.packet.packet import TCP, UDP, Packet, pseudo_header

if TYPE_CHECKING:
    from iptables_emu.engine.emulator import Engine
    from iptables_emu.host.host import Host

# MSS, SACK permitted, timestamps, window scale 7: Linux's SYN
_TAIL = b"\x04\x02\x08\x0a"


def connect_packet(host: Host, engine: Engine, value: Mapping[str, Any]) -> Packet | str:
    """The datagram, or the SYN; a text is the error of the call. ``sport`` 0 is drawn from the local range."""
    family, dst, _ = network(value["dst"])
    mark = value.get("mark", 0)
    src = network(value["src"])[1] if value.get("src") else 0
    if not src:
        probe = ipv4(0, dst, UDP, bytes(8)) if family == 4 else ipv6(0, dst, UDP, bytes(8))
        kind = {"tcp": TCP, "udp": UDP}[value["proto"]]
        said = Said(kind, value.get("sport", 0), value["dport"], value.get("uid", 0))
        decision = engine.path.routing.output(Packet(probe, mark=mark), said=said)
        if decision.kind not in ("forward", "local"):
            return decision.text
        src = decision.source(host, dst) or 0
        if not src:
            return "Cannot assign requested address"
    sport = value.get("sport", 0) or engine.machine.rng.randrange(32768, 61000)
    ports = sport.to_bytes(2, "big") + int(value["dport"]).to_bytes(2, "big")
    if value["proto"] == "tcp":
        local = host.is_local(dst, family)
        mss = (65495 if family == 4 else 65476) if local else (1460 if family == 4 else 1440)
        stamp = engine.machine.rng.randbytes(4) + bytes(4)
        options = b"\x02\x04" + mss.to_bytes(2, "big") + _TAIL + stamp + b"\x01\x03\x03\x07"
        window = mss if local else (64240 if family == 4 else 64800)
        seq = engine.machine.rng.getrandbits(32)
        syn = Packet(tcp(family, src, dst, ports, seq, 0, 2, window, options), mark=mark)
        syn.pending_checksum = True
        return syn
    payload = value.get("payload", "").encode()
    segment = ports + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload
    check = internet_checksum(pseudo_header(family, src, dst, UDP, len(segment)) + segment) or 0xFFFF
    segment = segment[:6] + check.to_bytes(2, "big") + segment[8:]
    make = ipv4(src, dst, UDP, segment, df=True) if family == 4 else ipv6(src, dst, UDP, segment)
    return Packet(make, mark=mark)
