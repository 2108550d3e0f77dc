"""What the host's kernel sends of itself: answers and errors, through OUTPUT and POSTROUTING."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.engine import ip_options
from iptables_emu.engine.asked import again, of_socket
from iptables_emu.engine.decision import NOWHERE, Decision
from iptables_emu.packet.packet import ICMP, ICMPV6, NO_FILE, TCP, Packet

if TYPE_CHECKING:
    from iptables_emu.engine.path import Path
    from iptables_emu.host.sockets import Socket

SYN = 2
NEIGHBOURS_ALONE = 255  # the hop limit of neighbour discovery


def send_own(
    path: Path,
    data: bytes,
    cause: Packet | None,
    *,
    attach: bool,
    way: Decision | None = None,
    by: Socket | None = None,
    established: bool = False,
) -> None:
    """A packet of the host's own: routed, OUTPUT, POSTROUTING. ``attach``: it belongs to the cause's connection,
    ``established``: as the answer of its other side. ``by``: the socket that answers."""
    is_icmp = data[9 if data[0] >> 4 == 4 else 6] in (ICMP, ICMPV6)
    family = data[0] >> 4
    if is_icmp and family in path.icmp_busy:
        return
    echoes = cause.ip_options if cause is not None and (is_icmp or not attach) else None
    if cause is not None and echoes is not None:
        longest = min(ip_options.LONGEST_ERROR, way.mtu(path.host)) if way else ip_options.LONGEST_ERROR
        echo = ip_options.echoed(cause, echoes, data, path.clock(), path.unicast, longest)
        if echo is None:
            return
        data = echo
    reply = Packet(data, mark=by.mark if by else 0)
    if cause is not None and echoes is not None:
        reply.ip_options = ip_options.of_answer(cause, echoes)
    reply.ipid_own = True
    if reply.family == 4:
        reply.set_ttl(path.host.sysctls.get("net.ipv4.ip_default_ttl"))
    # REJECT's RST has no socket, nor has any of IPv6 (tcp_v6_send_response)
    rejects = attach and reply.proto == TCP
    if by is not None:
        reply.socket, reply.uid, reply.gid, reply.sk = True, by.uid, by.gid, by
        reply.half_open = bool(reply.data[reply.l4 + 13] & SYN)
    elif not (rejects or (reply.proto == TCP and family == 6)):
        reply.socket, reply.uid, reply.gid = True, NO_FILE, NO_FILE
    # summed up at once are IPv4's RST of the stack and IPv6's of REJECT
    reply.pending_checksum = reply.proto == TCP and (rejects is (family == 4) or bool(reply.data[reply.l4 + 13] & SYN))
    if attach and cause is not None and cause.ct is not None:
        reply.ct = cause.ct
        reply.ctinfo = t.RELATED_REPLY if cause.ctinfo < t.IS_REPLY else t.RELATED
        if established:
            reply.ctinfo = t.ESTABLISHED_REPLY
    elif attach and cause is not None:
        reply.related_to_untracked = cause.untracked or cause.related_to_untracked
    said = again(path.host, reply) if rejects else of_socket(reply)
    decision = way or path.routing.output(reply, any_source=True, said=said)
    if decision.kind in NOWHERE:
        return
    if reply.family == 6 and reply.ttl != NEIGHBOURS_ALONE:
        reply.set_ttl(path.host.sysctls.interface(6, decision.dev, "hop_limit"))
    if family == 4 and not reply.src and reply.socket:
        # the transport checksum has been made over no source
        reply.data[12:16] = (decision.source(path.host, reply.dst) or 0).to_bytes(4, "big")
        reply.refresh_ip_checksum()
    if family == 4 and not reply.dst and is_icmp:
        reply.set_dst(reply.src)  # to nowhere is to oneself (ip_route_output_key_hash_rcu)
    if family == 4 and reply.dst >> 28 == 14:
        reply.set_ttl(1)  # IP_MULTICAST_TTL's default
    reply.oif = decision.dev
    if not is_icmp:
        path.local_out(reply, decision, "reply")
        return
    with path.backlog.held():
        path.icmp_busy.add(family)
        path.local_out(reply, decision, "reply")
        path.icmp_busy.discard(family)
