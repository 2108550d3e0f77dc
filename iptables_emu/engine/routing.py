"""Routing decisions of input and output (kernel: ipv4/route.c, fib_frontend.c, ipv6/route.c)."""

from __future__ import annotations

from dataclasses import replace

from iptables_emu.engine.asked import RAW, SILENT, Said, incoming
from iptables_emu.engine.decision import CALL, ERROR_KIND, Decision, Source, class_of, way
from iptables_emu.engine.routing6 import input6, output6
from iptables_emu.host.address6 import is_link_local, is_multicast
from iptables_emu.host.fib import Found, Route
from iptables_emu.host.host import Host
from iptables_emu.model.address import prefix_mask, show
from iptables_emu.packet.packet import Packet

NET_UNREACHABLE, HOST_UNREACHABLE, PROHIBITED = (3, 0), (3, 1), (3, 13)
ERROR4 = {"ENETUNREACH": NET_UNREACHABLE, "EHOSTUNREACH": HOST_UNREACHABLE, "EACCES": PROHIBITED}


class Routing:
    """The host's decisions."""

    def __init__(self, host: Host) -> None:
        self.host = host

    # -- input -----------------------------------------------------------------------------------

    def input(self, pkt: Packet) -> Decision:
        return self._input4(pkt) if pkt.family == 4 else input6(self.host, pkt)

    def _input4(self, pkt: Packet) -> Decision:
        """ip_route_input_slow."""
        host, dev = self.host, pkt.iif
        src, dst = pkt.src, pkt.dst
        if dst >> 28 == 14:
            if dst == 0xE0000001:
                if src >> 28 == 14 or src == 0xFFFFFFFF or (source := self._multicast_source(pkt)) is None:
                    return self._martian("source", src)
                return Decision("local", "multicast that this host has joined", dev, broadcast=True, realm=source.tag)
            return Decision("martian", "multicast that nobody here has joined")
        if src >> 28 == 14 or src == 0xFFFFFFFF:
            return self._martian("source", src)
        if dst == 0xFFFFFFFF or (src == 0 and dst == 0):
            return self._broadcast(pkt)
        if src == 0:
            return self._martian("source", src)
        if dst == 0:
            return self._martian("destination", dst)
        localnet = host.sysctls.either(4, dev, "route_localnet")
        if dst >> 24 == 127:
            if not localnet and dev != "lo":
                return self._martian("destination", dst)
        elif src >> 24 == 127 and not localnet and dev != "lo":
            return self._martian("source", src)
        forwarding = host.sysctls.forwarding(4, dev)
        flow = incoming(host, pkt)
        found = host.fibs[4].find(flow)
        if found.error:
            if not forwarding:
                return Decision("unreachable", "no route, and forwarding is off")
            return Decision(ERROR_KIND[found.error], f"no way to {show(dst, 4)}: {CALL[found.error]}",
                            error=ERROR4.get(found.error))  # fmt: skip
        if found.type == "broadcast":
            return self._broadcast(pkt)
        if found.type == "local":
            source = self._source_check(pkt, "lo")
            if source is None:
                return self._martian("source", src)
            return Decision("local", f"{show(dst, 4)} is this host", dev, found.route, realm=source.tag)
        if not forwarding:
            return Decision("unreachable", f"not for this host, and forwarding is off on {dev}")
        route = found.route
        if route is None or found.type != "unicast":
            return self._martian("destination", dst)
        route = host.multipath.choose(route, flow, pkt)
        gateway = route.gateway4 or 0
        route = host.exceptions.of(route, dst)
        source = self._source_check(pkt, route.dev)
        if source is None:
            return self._martian("source", src)
        redirect = (
            route.dev == dev and source.on_link and host.sysctls.either(4, dev, "send_redirects")
            and (host.sysctls.either(4, dev, "shared_media") or self.same_link(dev, src, gateway))
        )  # fmt: skip
        realm = class_of(route, found.rule_realm, source.tag)
        return Decision("forward", way(route, dst), route.dev, route, redirect=redirect, realm=realm)

    def _multicast_source(self, pkt: Packet) -> Source | None:
        """ip_mc_validate_source, for the group of all hosts."""
        if pkt.src >> 24 == 127 and not self.host.sysctls.either(4, pkt.iif, "route_localnet"):
            return None
        return self._source_check(pkt, "") if pkt.src else Source()

    def _broadcast(self, pkt: Packet) -> Decision:
        source = self._source_check(pkt, "") if pkt.src else Source()
        if source is None:
            return self._martian("source", pkt.src)
        text = f"{show(pkt.dst, 4)} is a broadcast address"
        return Decision("local", text, pkt.iif, broadcast=True, realm=source.tag)

    @staticmethod
    def _martian(which: str, value: int) -> Decision:
        return Decision("martian", f"martian {which} {show(value, 4)}")

    def same_link(self, dev: str, a: int, b: int) -> bool:
        """inet_addr_onlink."""
        interface = self.host.interfaces.get(dev)
        return interface is not None and any(
            x.family == 4 and x.network == a & (mask := prefix_mask(x.plen, 4)) and (not b or x.network == b & mask)
            for x in interface.addresses
        )

    def _source_check(self, pkt: Packet, out_dev: str) -> Source | None:
        """fib_validate_source: None refuses."""
        host, dev, conf = self.host, pkt.iif, self.host.sysctls
        reverse = conf.greatest(4, dev, "rp_filter")
        accept_local = conf.either(4, dev, "accept_local")
        fib = host.fibs[4]
        if dev == "lo":
            return Source()
        in_short = out_dev != dev or not conf.either(4, dev, "send_redirects")
        if not reverse and in_short and not fib.has_realms:
            if accept_local:
                return Source()
            if not fib.custom_rules:
                return None if host.owns(pkt.src, 4) is not None else Source()
        mark = pkt.mark if conf.either(4, dev, "src_valid_mark") else 0
        flow = incoming(host, pkt)
        flow = replace(flow, dst=pkt.src, src=pkt.dst, mark=mark, iif=out_dev or "lo", sport=flow.dport,
                       dport=flow.sport)  # fmt: skip
        found = fib.find(flow)
        route = found.route
        if route is None or found.error:
            return None if reverse else Source()
        if route.type != "unicast" and not (route.type == "local" and accept_local):
            return None
        tag = (route.realm << 16 or found.rule_realm << 16) & 0xFFFF0000 | found.rule_realm >> 16
        if route.leaves_by(dev):
            return Source(route.via is None, tag)
        if not any(a.family == 4 for a in host.interfaces[dev].addresses) or reverse == 1:
            return None if reverse else Source(False, tag)
        again = fib.find(replace(flow, oif=dev))
        if not again.error and again.type == "unicast" and again.route is not None:
            return Source(again.route.via is None, tag)
        return Source(False, tag)

    def own_address(self, pkt: Packet) -> int:
        """This host's address towards the sender of a packet that was not sent to one (fib_compute_spec_dst)."""
        host = self.host
        if pkt.src:
            mark = pkt.mark if host.sysctls.either(4, pkt.iif, "src_valid_mark") else 0
            found = host.fibs[4].lookup(pkt.src, iif="lo", mark=mark, tos=pkt.tos)
            if not found.error and found.route is not None:
                return Decision("forward", "", found.route.dev, found.route).source(host, pkt.src) or 0
        return host.select_source(pkt.iif, 4, pkt.src) or 0

    def joined(self, pkt: Packet) -> bool:
        """Whether a packet goes to the group of all hosts, which every IPv4 host has joined."""
        return pkt.family == 4 and pkt.dst == 0xE0000001

    # -- output ----------------------------------------------------------------------------------

    def output(
        self, pkt: Packet, *, any_source: bool = False, raw: bool = False, oif: str = "", said: Said = SILENT
    ) -> Decision:
        """The route of a packet of this host (ip_route_output_key). ``raw``: a raw socket's, which looks up without
        a source; ``any_source``: the source need not be an address of this host; ``said``: what else the look-up
        is told."""
        family, host = pkt.family, self.host
        if raw:
            said = Said(RAW, uid=said.uid)
        tos = 0 if raw else pkt.tos  # a raw socket's own, whatever the header that it is given says
        if family == 6:
            oif = oif if is_link_local(pkt.dst) or is_multicast(pkt.dst) else ""
            src = 0 if raw else pkt.src
            return output6(host, pkt.dst or 1, src=src, mark=pkt.mark, tos=tos, oif=oif, choose=raw, said=said)
        src = 0 if raw else pkt.src
        if any_source and src and host.addr_type(src, family) not in ("LOCAL", "UNICAST"):
            src = 0
        if family == 4:
            if not pkt.dst:
                return Decision("local", "no destination: this host", "lo")
            many = pkt.dst == 0xFFFFFFFF or pkt.dst >> 28 == 14
            dev = host.owns(src, 4) if src and many else None
            if src and many and not dev:
                return Decision("invalid", CALL["EINVAL"])  # the source says which link is meant
            if dev == "lo":
                return Decision("local", "for everyone on lo", "lo", broadcast=True)
            if dev:
                return self._output_many(pkt, dev, None)
        flow = said.flow(pkt.dst, src=src, mark=pkt.mark, iif="lo", tos=tos)
        found: Found = host.fibs[family].find(flow)
        if found.error or found.route is None:
            return Decision(ERROR_KIND[found.error], CALL[found.error])
        route = found.route
        realm = class_of(route, found.rule_realm)
        if route.type == "local":
            return Decision("local", f"{show(pkt.dst, family)} is this host", "lo", route, realm=realm)
        route = host.exceptions.of(host.multipath.choose(route, flow, said.about, src=flow.src), pkt.dst)
        if family == 4:
            if src >> 24 == 127 and not host.sysctls.either(4, route.dev, "route_localnet"):
                return Decision("invalid", CALL["EINVAL"])
            if pkt.dst == 0xFFFFFFFF or pkt.dst >> 28 == 14:
                return self._output_many(pkt, route.dev, route)
        text = way(route, pkt.dst)
        if route.type == "broadcast":
            return Decision("forward", text, route.dev, route, broadcast=True)
        return Decision("forward", text, route.dev, route, realm=realm)

    def _output_many(self, pkt: Packet, dev: str, found: Route | None) -> Decision:
        """Broadcast and multicast stay on the link; a gateway counts only where multicast has a route of its own."""
        route = found if found and found.plen >= 4 else Route(4, pkt.dst, 32, dev, src=found.src if found else None)
        return Decision("forward", f"to {show(pkt.dst, 4)} out {dev}", dev, route, broadcast=True)

    def via(self, pkt: Packet, gateway: int, oif: str) -> Decision | None:
        """The route of a copy towards a gateway (nf_dup): the gateway's route, with it as the next hop.

        A link that is not there does not count, and over one that is IPv4 takes any address for a neighbour's.
        """
        oif = oif if oif in self.host.interfaces else ""
        found = self.host.fibs[pkt.family].lookup(gateway, mark=pkt.mark, iif="lo", oif=oif)
        if found.error or found.route is None:
            if pkt.family == 6 or not oif:
                return None
            near = Route(4, gateway, 32, oif, gateway, None)
            return Decision("forward", way(near, pkt.dst), oif, near)
        if found.type == "local":
            return Decision("local", "the gateway is this host", "lo", found.route)
        route = found.route
        hop = route.via if route.via is not None else gateway
        onward = Route(pkt.family, gateway, route.plen, route.dev, hop, route.src)
        return Decision("forward", way(onward, pkt.dst), route.dev, onward, realm=class_of(route, found.rule_realm))
