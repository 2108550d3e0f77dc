"""fib_multipath_hash_policy 1: what the kernel (6.18) chose for packets that it forwarded, with seed 12345 and three
ways of weight 1, 2 and 5.  No kernel test says it, for nf_tables' trace has packets hashed by another key."""

from __future__ import annotations

from typing import Any

import pytest

from iptables_emu.host.fib import Flow
from iptables_emu.host.host import Host
from iptables_emu.model.address import network
from iptables_emu.packet.build import build
from iptables_emu.packet.packet import Packet

WAYS = {
    4: [{"via": f"10.{n}.0.2", "dev": f"eth{n}", "weight": weight} for n, weight in ((1, 1), (2, 2), (3, 5))],
    6: [{"via": f"fd00:{n}::2", "dev": f"eth{n}", "weight": weight} for n, weight in ((1, 1), (2, 2), (3, 5))],
}


def host(family: int) -> Host:
    return Host.from_dict(
        {
            "interfaces": {f"eth{n}": {"addresses": [f"10.{n}.0.1/24", f"fd00:{n}::1/64"]} for n in range(4)},
            "routes": [{"dst": "0.0.0.0/0" if family == 4 else "::/0", "nexthops": WAYS[family]}],
            "sysctls": {"net.ipv4.fib_multipath_hash_seed": 12345, f"net.ipv{family}.fib_multipath_hash_policy": 1},
        }
    )


@pytest.mark.parametrize(("src", "dst", "proto", "ports", "way"), [
    ("10.0.0.8", "99.4.195.1", "tcp", (28390, 55327), 2), ("10.0.0.90", "99.118.112.1", "udp", (60241, 37982), 1),
    ("10.0.0.108", "99.51.95.1", "tcp", (38848, 15845), 3), ("10.0.0.192", "99.206.212.1", "udp", (22676, 48119), 1),
    ("10.0.0.227", "99.191.44.1", 50, "a9ec0806705fca16", 3), ("10.0.0.153", "99.201.87.1", 50, "8092b4d42b28fef0", 2),
    ("10.0.0.5", "99.102.118.1", "udp", (53012, 45065), 2), ("10.0.0.139", "99.169.234.1", "tcp", (3666, 30094), 3),
    ("2001:db8:a::248", "2a00::40b", "udp", (33432, 15455), 3),
    ("2001:db8:a::310", "2a00::1c08", "udp", (64987, 30550), 1),
    ("2001:db8:a::18", "2a00::1a2", "tcp", (1206, 49965), 3), ("2001:db8:a::ee", "2a00::e02", "icmpv6", None, 2),
    ("2001:db8:a::1f7", "2a00::1e6", "icmpv6", None, 1), ("2001:db8:a::3c9", "2a00::68c", 50, "51431193e6c3f339", 2),
    ("2001:db8:a::162", "2a00::24fc", 50, "7589a82b5a702cfa", 2),
])  # fmt: skip
def test_ways_by_ports(src: str, dst: str, proto: Any, ports: Any, way: int) -> None:
    packet: dict[str, Any] = {"src": src, "dst": dst, "proto": proto}
    if isinstance(ports, tuple):
        packet |= {"sport": ports[0], "dport": ports[1]}
    elif ports:
        packet["payload_hex"] = ports
    else:
        packet |= {"type": 128, "code": 0}
    family, target, _ = network(dst)
    here = host(family)
    route = here.fibs[family].find(Flow(target)).route
    assert route is not None
    assert here.multipath.choose(route, Flow(target), Packet(build(packet))).dev == f"eth{way}"


def test_without_a_seed_a_flow_keeps_its_way() -> None:
    here = host(4)
    here.sysctls.update({"net.ipv4.fib_multipath_hash_seed": 0})
    route = here.fibs[4].find(Flow(1)).route
    assert route is not None
    ways = {here.multipath.choose(route, Flow(1), None).dev for _ in range(9)}
    assert len(ways) == 1
    assert "way" in here.multipath.choose(route, Flow(1), None).choice
