"""What a look-up of a route asks with, besides addresses (kernel: struct flowi4, struct flowi6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iptables_emu.host.fib import Flow
from iptables_emu.packet.flow import dissect
from iptables_emu.packet.packet import DCCP, SCTP, TCP, UDP, UDPLITE

if TYPE_CHECKING:
    from iptables_emu.host.host import Host
    from iptables_emu.packet.packet import Packet

RAW = 255  # the protocol of a raw socket that writes its own headers
WITH_PORTS = frozenset({TCP, UDP, UDPLITE, SCTP, DCCP})


@dataclass(frozen=True, slots=True)
class Said:
    """What the sender of a packet of this host tells: each part of the kernel tells something else.

    ``about``: the packet that an ICMP error is about; the error takes that packet's way among several.
    """

    proto: int = 0
    sport: int = 0
    dport: int = 0
    uid: int = 0
    about: Packet | None = None

    def flow(self, dst: int, *, src: int = 0, mark: int = 0, iif: str = "", oif: str = "", tos: int = 0) -> Flow:
        return Flow(dst, src, mark, iif, oif, tos, self.proto, self.sport, self.dport, self.uid)


SILENT = Said()


def of_socket(pkt: Packet) -> Said:
    """What the socket of a packet tells: all of it."""
    uid = max(pkt.uid or 0, 0)
    if pkt.proto not in WITH_PORTS or len(pkt.data) < pkt.l4 + 4:
        return Said(pkt.proto, uid=uid)
    ports = pkt.data[pkt.l4 : pkt.l4 + 4]
    return Said(pkt.proto, int.from_bytes(ports[:2], "big"), int.from_bytes(ports[2:], "big"), uid)


def again(host: Host, pkt: Packet) -> Said:
    """Of a packet that is routed once more by its header; IPv4 then takes it for root's (ip_route_me_harder)."""
    flow = incoming(host, pkt) if host.fibs[pkt.family].reads_ports else Flow(pkt.dst)
    return Said(flow.proto, flow.sport, flow.dport, max(pkt.uid or 0, 0) if pkt.family == 6 else 0)


def incoming(host: Host, pkt: Packet) -> Flow:
    """Of a packet that comes in: protocol and ports only where a rule reads them (fib4_rules_early_flow_dissect)."""
    if not host.fibs[pkt.family].reads_ports:
        proto = pkt.data[6] if pkt.family == 6 else 0
        return Flow(pkt.dst, pkt.src, pkt.mark, pkt.iif, "", pkt.tos, proto)
    keys = dissect(bytes(pkt.data))
    sport, dport = int.from_bytes(keys.ports[:2], "big"), int.from_bytes(keys.ports[2:], "big")
    return Flow(pkt.dst, pkt.src, pkt.mark, pkt.iif, "", pkt.tos, keys.proto, sport, dport)
