"""ICMP errors of this host (kernel: net/ipv4/icmp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.engine import icmp
from iptables_emu.engine.asked import Said
from iptables_emu.engine.decision import NOWHERE, Decision
from iptables_emu.engine.own import send_own
from iptables_emu.packet.packet import ICMP, Packet

if TYPE_CHECKING:
    from iptables_emu.engine.path import Path


SHORTEST_WAY = 48  # or nothing could be quoted


def send_error(path: Path, pkt: Packet, kind: int, code: int, info: int = 0) -> None:
    """An error about a packet, where one may be sent (icmp_send)."""
    if not icmp.may_answer(pkt) or (pkt.dst and path.host.addr_type(pkt.dst, 4) == "BROADCAST"):
        return
    found = error_way(path, pkt, Packet(icmp.error4(pkt, 0, kind, code)))
    if found is not None:
        source, way = found
        mtu = way.mtu(path.host)
        may = path.rations.allow(4, pkt.src, (kind, code), way, pkt.iif, path.machine.now)
        if mtu > SHORTEST_WAY and may:
            send_own(path, icmp.error4(pkt, source, kind, code, info, mtu), pkt, attach=True, way=way)


def error_way(path: Path, cause: Packet, probe: Packet) -> tuple[int, Decision] | None:
    """Who an IPv4 error about ``cause`` comes from, and its route (icmp_send, icmp_route_lookup).

    It comes from the cause's destination if that is where it is routed to here. Else the route, without a source, says.
    """
    source = 0
    if cause.routed_here and cause.dst:
        if not path.host.is_local(cause.dst, 4):
            return None  # a route alone makes it local: no address of this host could be the source
        source = cause.dst
    elif cause.iif and path.host.sysctls.get("net.ipv4.icmp_errors_use_inbound_ifaddr"):
        source = path.host.select_source(cause.iif, 4, cause.src) or 0
    probe.set_src(source)
    kind = int.from_bytes(probe.data[probe.l4 : probe.l4 + 2], "big")  # type and code stand where ports do
    way = path.routing.output(probe, any_source=True, said=Said(ICMP, dport=kind, about=cause))
    if way.kind in NOWHERE:
        return None
    source = source or way.source(path.host, cause.src) or 0
    return (source, way) if source else None
