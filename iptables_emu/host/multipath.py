"""Which way of several a packet takes: a hash of its flow (kernel: fib_multipath_hash, rt6_multipath_hash)."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING

from iptables_emu.conntrack.jhash import jhash2
from iptables_emu.host.fib import Flow, Hop, Route
from iptables_emu.packet.flow import Keys, dissect
from iptables_emu.packet.packet import ICMP, ICMPV6

if TYPE_CHECKING:
    from iptables_emu.host.host import Host
    from iptables_emu.packet.packet import Packet

SRC, DST, PROTO, LABEL, SPORT, DPORT = 1, 2, 4, 8, 16, 32
INNER = 6  # so many bits further stand the same fields of the packet in a tunnel
OUTER_FIELDS = 63
HALF = 1 << 31
ERRORS4, ERRORS6 = frozenset({3, 4, 5, 11, 12}), frozenset({1, 2, 3, 4})


class Multipath:
    """The choices of one host. Without fib_multipath_hash_seed the key is drawn, once."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.rng = random.Random(0)
        self._drawn = 0

    def choose(self, route: Route, flow: Flow, pkt: Packet | None, *, src: int = 0) -> Route:
        """The route with one of its ways. ``pkt``: the packet itself, where the kernel looks at it: one that comes in,
        or that an error is about. ``src``: the source of a packet of this host, which may speak for a way."""
        if not route.hops:
            return route
        number = self.hash(route.family, flow, pkt) >> 1
        if route.family == 4:
            at = self._among4(route.hops, number, src)
        else:
            at = self._among6(route.hops, number)
        given = self._host.sysctls.get("net.ipv4.fib_multipath_hash_seed")
        return self.taken(route, at, "the hash of the flow" if given else "a hash of the flow with a key drawn here")

    @staticmethod
    def taken(route: Route, at: int, why: str = "the interface") -> Route:
        """The route by one of its ways, and what chose it."""
        hop = route.hops[at]
        text = f"way {at + 1} of {len(route.hops)}, by {why}"
        return replace(route, dev=hop.dev, via=hop.via, hop_family=hop.family, choice=text)

    # -- among the ways ------------------------------------------------------------------------------

    def _bounds(self, family: int, hops: tuple[Hop, ...]) -> list[int]:
        """Up to which hash each way is taken, -1 for a dead one (fib_rebalance, rt6_multipath_rebalance)."""
        alive = [self._host.usable(hop.dev, family) for hop in hops]
        total = sum(hop.weight for hop, good in zip(hops, alive, strict=True) if good)
        bounds, weight = [], 0
        for hop, good in zip(hops, alive, strict=True):
            if good:
                weight += hop.weight
                bounds.append((2 * weight * HALF + total) // (2 * total) - 1)
            else:
                bounds.append(-1)
        return bounds

    def _among4(self, hops: tuple[Hop, ...], number: int, src: int) -> int:
        """fib_select_multipath: a way whose own address the packet has counts more than the hash."""
        use_neighbours = self._host.sysctls.get("net.ipv4.fib_multipath_use_neigh")
        best, score = 0, -1
        for at, (hop, bound) in enumerate(zip(hops, self._bounds(4, hops), strict=True)):
            if bound == -1 or (use_neighbours and not self._reachable(hop)):
                continue
            gateway = hop.via if hop.via is not None and hop.family == 4 else 0
            points = 2 * bool(src and self._host.select_source(hop.dev, 4, gateway) == src) + (number <= bound)
            if points > score:
                best, score = at, points
        return best

    def _among6(self, hops: tuple[Hop, ...], number: int) -> int:
        bounds = self._bounds(6, hops)
        return next((at for at, bound in enumerate(bounds) if number <= bound), 0)

    def _reachable(self, hop: Hop) -> bool:
        """fib_good_nh: what the neighbour cache says of the gateway; nothing is good enough."""
        return hop.via is None or self._host.neighbour_valid(hop.dev, hop.via)

    # -- the hash ------------------------------------------------------------------------------------

    @property
    def seed(self) -> int:
        given = self._host.sysctls.get("net.ipv4.fib_multipath_hash_seed")
        if not given and not self._drawn:
            self._drawn = self.rng.getrandbits(32) or 1
        return given or self._drawn

    def hash(self, family: int, flow: Flow, pkt: Packet | None) -> int:
        """32 bits over what the sysctl fib_multipath_hash_policy says."""
        policy = self._host.sysctls.get(f"net.ipv{family}.fib_multipath_hash_policy")
        ports = flow.sport.to_bytes(2, "big") + flow.dport.to_bytes(2, "big")
        of_flow = Keys(family, flow.src, flow.dst, flow.proto, ports)
        if policy == 1:
            keys = of_flow if pkt is None else dissect(bytes(pkt.data))
            return replace(keys, family=family, label=0).hash(self.seed)
        if policy == 3:
            return self._custom(family, of_flow, pkt)
        keys = _addresses(family, of_flow)
        if pkt is not None:
            inner = dissect(bytes(pkt.data), inside=True)
            keys = _addresses(inner.family, inner) if policy == 2 else _layer3(family, pkt)
        return keys.hash(self.seed)

    def _custom(self, family: int, of_flow: Keys, pkt: Packet | None) -> int:
        """fib_multipath_hash_fields."""
        fields = self._host.sysctls.get(f"net.ipv{family}.fib_multipath_hash_fields")
        outer = of_flow if pkt is None else dissect(bytes(pkt.data))
        number = _picked(outer, fields, family).hash(self.seed) if fields & OUTER_FIELDS else 0
        if pkt is None:
            return number
        inner = 0
        # without a field of the outer packet the kernel takes every packet to carry another
        tunnelled = outer.tunnelled or not fields & OUTER_FIELDS
        if tunnelled and fields >> INNER:
            found = dissect(bytes(pkt.data), inside=True)
            inner = _picked(found, fields >> INNER, found.family).hash(self.seed) if found.tunnelled else 0
        return jhash2((number, inner), 0)


def _addresses(family: int, keys: Keys) -> Keys:
    """What the policies for addresses hash: IPv6 adds the flow label and the protocol."""
    if family == 4:
        return Keys(4, keys.src, keys.dst)
    return replace(keys, ports=bytes(4))


def _layer3(family: int, pkt: Packet) -> Keys:
    """The addresses of a packet; an ICMP error goes the way of the packet that it quotes (ip_multipath_l3_keys)."""
    data = bytes(pkt.data)
    errors, proto = (ERRORS4, ICMP) if family == 4 else (ERRORS6, ICMPV6)
    size = 20 if family == 4 else 40
    if pkt.proto == proto and not pkt.frag_offset and len(data) >= pkt.l4 + 8 + size and data[pkt.l4] in errors:
        data = data[pkt.l4 + 8 :]
    if family == 4:
        return Keys(4, int.from_bytes(data[12:16], "big"), int.from_bytes(data[16:20], "big"))
    label = int.from_bytes(data[1:4], "big") & 0xFFFFF
    return Keys(6, int.from_bytes(data[8:24], "big"), int.from_bytes(data[24:40], "big"), data[6], label=label)


def _picked(keys: Keys, fields: int, family: int) -> Keys:
    ports = (keys.ports[:2] if fields & SPORT else bytes(2)) + (keys.ports[2:] if fields & DPORT else bytes(2))
    return Keys(
        family, keys.src if fields & SRC else 0, keys.dst if fields & DST else 0, keys.proto if fields & PROTO else 0,
        ports, keys.label if fields & LABEL and family == 6 else 0,
    )  # fmt: skip
