"""Random hosts: a few links with neighbours, a default route, and what a profile varies."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.kernel.fuzz import routing

OUTSIDE4 = ("198.51.100.1", "198.51.100.200", "203.0.113.7", "203.0.113.8", "1.1.1.1", "8.8.8.8")
OUTSIDE6 = ("2a00:1450::5", "2a00:1450::6", "2001:db8:5::42", "2606:4700::1111")
TEMPLATES4: tuple[dict[str, tuple[str, ...]], ...] = (
    {"eth0": ("192.168.5.3/24",), "eth1": ("10.8.0.1/24",)},
    {
        "eth0": ("192.168.5.3/24", "192.168.5.4/24"),
        "eth1": ("10.8.0.1/16",),
        "eth2": ("172.16.1.1/24",),
        "dmz0": ("10.99.0.1/28",),
    },
    {"wan0": ("192.0.2.2/30",), "lan0": ("10.8.0.1/24", "10.9.0.1/24"), "lan10": ("172.16.1.1/24",)},
)
TEMPLATES6: tuple[dict[str, tuple[str, ...]], ...] = (
    {"eth0": ("2001:db8:5::3/64", "2001:db8:5::4/64"), "eth1": ("2001:db8:8::1/64",), "eth2": ("fd00:2::1/64",)},
    {"eth0": ("2001:db8:5::3/64",), "eth1": ("fd00:2::1/64",)},
)
BOTH_FAMILIES = ("matches", "targets", "stateful")
CONF4 = (
    "rp_filter",
    "accept_local",
    "route_localnet",
    "send_redirects",
    "shared_media",
    "forwarding",
    "src_valid_mark",
)


@dataclass(frozen=True, slots=True)
class Link:
    """An interface with its own addresses and those of its neighbours."""

    name: str
    own: tuple[str, ...]
    peers: tuple[str, ...]


@dataclass(slots=True)
class Net:
    """A host and who is around it. ``uplink`` leads to the addresses outside."""

    family: int
    host: dict[str, Any]
    links: list[Link]
    outside: tuple[str, ...]
    uplink: str
    extra: list[str] = field(default_factory=list)  # addresses worth trying besides

    @property
    def own(self) -> list[str]:
        return [address for link in self.links for address in link.own]

    @property
    def everyone(self) -> list[str]:
        return [*self.own, *(peer for link in self.links for peer in link.peers), *self.outside, *self.extra]


def make(rng: random.Random, profile: str) -> Net:
    """The host of a scenario."""
    if profile == "kube":
        return _kube()
    family = 6 if profile == "ipv6" or (profile in BOTH_FAMILIES and rng.random() < 0.4) else 4
    template = rng.choice(TEMPLATES6 if family == 6 else TEMPLATES4)
    links = [_link(name, addresses, family) for name, addresses in template.items()]
    interfaces: dict[str, Any] = {name: {"addresses": list(addresses)} for name, addresses in template.items()}
    uplink = links[0].name
    gateway = _neighbour(template[uplink][0], 1)
    host: dict[str, Any] = {
        "interfaces": interfaces,
        "routes": [{"dst": "::/0" if family == 6 else "0.0.0.0/0", "via": gateway, "dev": uplink}],
        "sysctls": {"net.ipv6.conf.all.forwarding": 1} if family == 6 else {"net.ipv4.ip_forward": 1},
    }
    net = Net(family, host, links, OUTSIDE6 if family == 6 else OUTSIDE4, uplink)
    if profile == "routing":
        _vary_routing(rng, net)
    if profile in ("routing", "ipv6") and rng.random() < 0.6:
        routing.vary(rng, net)
    if profile in ("conntrack", "mixed", "stateful") and rng.random() < 0.3:
        host["sysctls"].update(_tracking_sysctls(rng))
    return net


def _link(name: str, addresses: tuple[str, ...], family: int) -> Link:
    own = tuple(text.split("/")[0] for text in addresses)
    if family == 6:
        base = own[0].rsplit("::", 1)[0]
        peers = tuple(f"{base}::{last}" for last in ("a", "9", "42", "c8"))
    elif addresses[0].endswith("/30"):
        peers = (_neighbour(addresses[0], 1),)
    else:
        wide = addresses[0].endswith("/28")
        ends = (9, 10) if wide else (9, 10, 66, 200)
        peers = tuple(f"{address.rsplit('.', 1)[0]}.{end}" for address in own for end in ends)
    return Link(name, own, tuple(dict.fromkeys(peers)))


def _neighbour(address: str, number: int) -> str:
    text = address.split("/")[0]
    if ":" in text:
        return f"{text.rsplit('::', 1)[0]}::{number:x}"
    return f"{text.rsplit('.', 1)[0]}.{number}"


def _kube() -> Net:
    links = [
        Link("eth0", ("192.168.5.3",), ("192.168.5.9", "192.168.5.10")),
        Link("cni0", ("10.244.1.1",), ("10.244.1.9", "10.244.1.10", "10.244.1.11")),
    ]
    host = {
        "interfaces": {"eth0": {"addresses": ["192.168.5.3/24"]}, "cni0": {"addresses": ["10.244.1.1/24"]}},
        "routes": [
            {"dst": "0.0.0.0/0", "via": "192.168.5.1", "dev": "eth0"},
            {"dst": "10.244.2.0/24", "via": "192.168.5.10", "dev": "eth0"},
        ],
        "sysctls": {"net.ipv4.ip_forward": 1},
    }
    return Net(4, host, links, OUTSIDE4, "eth0", ["10.244.2.11", "10.244.2.16"])


def _vary_routing(rng: random.Random, net: Net) -> None:
    """Routes of all types, other tables, rules, and the switches that routing reads."""
    host, sysctls = net.host, net.host["sysctls"]
    for link in net.links:
        for key in CONF4:
            if rng.random() < 0.15:
                sysctls[f"net.ipv4.conf.{link.name}.{key}"] = rng.choice((0, 1, 1, 2) if key == "rp_filter" else (0, 1))
        if rng.random() < 0.15:
            host["interfaces"][link.name]["mtu"] = rng.choice((576, 1280, 1400))
    for name, values in (
        ("net.ipv4.conf.all.rp_filter", (1, 2)),
        ("net.ipv4.conf.all.accept_local", (1,)),
        ("net.ipv4.conf.all.send_redirects", (0,)),
        ("net.ipv4.icmp_errors_use_inbound_ifaddr", (1,)),
        ("net.ipv4.icmp_echo_ignore_all", (1,)),
        ("net.ipv4.icmp_echo_ignore_broadcasts", (0,)),
        ("net.ipv4.ip_default_ttl", (100, 255)),
        ("net.ipv4.ip_forward", (0,)),
    ):
        if rng.random() < 0.1:
            sysctls[name] = rng.choice(values)
    for kind in ("throw", "blackhole", "unreachable", "prohibit"):
        if rng.random() < 0.25:
            dst = rng.choice(("8.8.8.8/32", "203.0.113.0/24", "198.51.100.0/25", "1.0.0.0/8"))
            if not any(route["dst"] == dst for route in host["routes"]):
                host["routes"].append({"dst": dst, "type": kind})
    if rng.random() < 0.4:
        link = rng.choice(net.links)
        route = {"dst": rng.choice(("0.0.0.0/0", "203.0.113.0/24")), "dev": link.name, "table": 100}
        if rng.random() < 0.5:
            route["via"] = link.peers[0]
        host["routes"].append(route)
        host["rules"] = [
            rng.choice(
                (
                    "fwmark 1 lookup 100",
                    "fwmark 1/0xf lookup 100",
                    f"iif {rng.choice(net.links).name} lookup 100",
                    "to 8.8.8.8 lookup 100",
                    f"from {rng.choice(net.everyone)} lookup 100",
                    "to 203.0.113.0/24 prohibit",
                    "fwmark 7 blackhole",
                    "to 1.1.1.1 unreachable",
                )
            )
            for _ in range(rng.randint(1, 2))
        ]
        host["rules"] = list(dict.fromkeys(host["rules"]))
    if rng.random() < 0.3:
        host["routes"].append(
            {"dst": "203.0.113.0/25", "via": rng.choice(net.links[-1].peers), "dev": net.links[-1].name}
        )


def _tracking_sysctls(rng: random.Random) -> dict[str, int]:
    head = "net.netfilter.nf_conntrack_"
    choices = {
        "tcp_loose": 0,
        "tcp_be_liberal": 1,
        "checksum": 0,
        "acct": 1,
        "tcp_max_retrans": 1,
        "udp_timeout": 60,
        "icmp_timeout": 40,
        "tcp_timeout_established": 1000,
        "tcp_ignore_invalid_rst": 1,
    }
    return {head + name: choices[name] for name in rng.sample(sorted(choices), rng.randint(1, 3))}
