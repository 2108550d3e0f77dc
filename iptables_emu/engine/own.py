"""What the host's kernel sends of itself: answers and errors, through OUTPUT and POSTROUTING."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.engine import ip_options
from iptables_emu.engine.decision import NOWHERE, Decision
from iptables_emu.packet.packet import ICMP, ICMPV6, NO_FILE, TCP, Packet

if TYPE_CHECKING:
    from iptables_emu.engine.path import Path

NEIGHBOURS_ALONE = 255  # the hop limit of neighbour discovery


def send_own(path: Path, data: bytes, cause: Packet | None, *, attach: bool, way: Decision | None = None) -> None:
    """A packet of the host's own: routed, OUTPUT, POSTROUTING. ``attach``: it belongs to the cause's connection."""
    is_icmp = data[9 if data[0] >> 4 == 4 else 6] in (ICMP, ICMPV6)
    family = data[0] >> 4
    if is_icmp and family in path.icmp_busy:
        return
    if cause is not None and cause.ip_options is not None and (is_icmp or not attach):
        echo = ip_options.echoed(cause, cause.ip_options, data, path.clock(), path.unicast)
        if echo is None:
            return
        data = echo
    reply = Packet(data)
    reply.ipid_own = True
    if reply.family == 4:
        reply.set_ttl(path.host.sysctls.get("net.ipv4.ip_default_ttl"))
    # REJECT's RST has no socket, nor has any of IPv6 (tcp_v6_send_response); what TCP leaves to sum up is seen over lo
    if reply.proto == TCP and (attach or reply.family == 6):
        reply.pending_checksum = not attach or reply.family == 4
    else:
        reply.socket, reply.uid, reply.gid = True, NO_FILE, NO_FILE
    if attach and cause is not None and cause.ct is not None:
        reply.ct = cause.ct
        reply.ctinfo = t.RELATED_REPLY if cause.ctinfo < t.IS_REPLY else t.RELATED
    decision = way or path.routing.output(reply, any_source=True)
    if decision.kind in NOWHERE:
        return
    if reply.family == 6 and reply.ttl != NEIGHBOURS_ALONE:
        reply.set_ttl(path.host.sysctls.interface(6, decision.dev, "hop_limit"))
    if family == 4 and not reply.src and reply.socket:
        reply.set_src(decision.source(path.host, reply.dst) or 0)
    if family == 4 and reply.dst >> 28 == 14:
        reply.set_ttl(1)  # IP_MULTICAST_TTL's default
    reply.oif = decision.dev
    if is_icmp:
        path.icmp_busy.add(family)
    path.local_out(reply, decision, "reply")
    if is_icmp:
        path.icmp_busy.discard(family)
