"""fib_multipath_hash_policy 1, which nf_tables' trace hides: it makes the kernel hash each packet by another key."""

from __future__ import annotations

from typing import Any

import pytest

from iptables_emu.scenario.emulate import emulate
from iptables_emu.scenario.kernel import session, trace
from iptables_emu.scenario.kernel.runner import KernelRunner

pytestmark = pytest.mark.kernel

NETS = {
    4: ("10.{}.0.1/24", "10.{}.0.2", "10.0.0.9", "99.1.{}.1"),
    6: ("fd00:{}::1/64", "fd00:{}::2", "fd00:0::9", "2a00:{}::1"),
}


def scenario(family: int) -> dict[str, Any]:
    own, gateway, source, target = NETS[family]
    protocols = ("tcp", "udp", "icmp" if family == 4 else "icmpv6", 50, 4)
    packets: list[dict[str, Any]] = [
        {"src": source, "dst": target.format(n), "proto": protocols[n % 5], "sport": 1000 + n, "dport": 80}
        for n in range(40)
    ]
    for n, packet in enumerate(packets):
        if n % 5 >= 2:
            del packet["sport"], packet["dport"]
        if packet["proto"] in (50, 4):
            packet["payload_hex"] = f"{n:08x}{n:08x}"
        elif n % 5 == 2:
            packet.update(type=8 if family == 4 else 128, code=0)
    return {
        "host": {
            "interfaces": {f"eth{n}": {"addresses": [own.format(n)]} for n in range(4)},
            "routes": [
                {
                    "dst": "0.0.0.0/0" if family == 4 else "::/0",
                    "nexthops": [{"via": gateway.format(n), "dev": f"eth{n}", "weight": n} for n in (1, 2, 3)],
                }
            ],
            "sysctls": {
                "net.ipv4.ip_forward": 1,
                "net.ipv6.conf.all.forwarding": 1,
                "net.ipv4.fib_multipath_hash_seed": 4711,
                f"net.ipv{family}.fib_multipath_hash_policy": 1,
            },
        },
        "backend": "nft",
        "rulesets": {f"ipv{family}": ""},
        "steps": [{"inject": {"iface": "eth0", "packet": packet}} for packet in packets],
    }


def ways(seen: dict[str, Any]) -> list[list[str]]:
    return [[frame["iface"] for frame in step["emitted"]] for step in seen["steps"]]


@pytest.mark.parametrize("family", [4, 6])
def test_ways_by_ports(monkeypatch: pytest.MonkeyPatch, family: int) -> None:
    monkeypatch.setattr(
        session, "tracing_script", lambda b: trace.tracing_script(b).replace("meta nftrace set 1; ", "")
    )
    with KernelRunner() as runner:
        seen = ways(runner.run(scenario(family)))
    assert {"eth1", "eth2", "eth3"} == {name for step in seen for name in step}
    assert seen == ways(emulate(scenario(family)))
