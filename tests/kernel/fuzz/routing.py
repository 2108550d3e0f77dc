"""Random routes, rules and switches of the profiles routing and ipv6, and the errors that teach path MTUs."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.kernel.fuzz.hosts import Link, Net

MTUS = (68, 500, 576, 1000, 1280, 1300, 1400, 1500)
SEEDS = (1, 77, 0xDEADBEEF)
FIELDS = (7, 15, 63, 3, 48, 1, 64 + 128, 7 + 64 + 512, 4095)
PREFIXES4 = ("0.0.0.0/0", "203.0.113.0/24", "198.51.100.0/25", "8.0.0.0/8", "1.1.1.1/32")
PREFIXES6 = ("::/0", "2a00:1450::/32", "2001:db8:5::/64", "2606:4700::1111/128", "2a00:1450::5/128")
SWITCHES4 = (
    ("net.ipv4.ip_forward_use_pmtu", (1,)),
    ("net.ipv4.ip_no_pmtu_disc", (1, 2, 3)),
    ("net.ipv4.route.min_pmtu", (600, 1280)),
    ("net.ipv4.conf.all.accept_redirects", (1,)),
    ("net.ipv4.conf.all.secure_redirects", (0,)),
    ("net.ipv4.conf.all.shared_media", (0,)),
    ("net.ipv4.conf.all.src_valid_mark", (1,)),
    ("net.ipv4.fib_multipath_use_neigh", (1,)),
)


def vary(rng: random.Random, net: Net) -> None:
    """Ways among several, MTUs, tables and rules of all kinds."""
    host = net.host
    host.setdefault("rules", [])
    host["sysctls"]["net.ipv4.fib_multipath_hash_seed"] = rng.choice(SEEDS)
    if net.family == 4:
        for name, values in SWITCHES4:
            if rng.random() < 0.12:
                host["sysctls"][name] = rng.choice(values)
    for link in net.links:
        if rng.random() < 0.1:
            host["interfaces"][link.name]["group"] = 7
    policy = f"net.ipv{net.family}.fib_multipath_hash_"
    host["sysctls"][policy + "policy"] = rng.choice((0, 0, 2, 3))
    host["sysctls"][policy + "fields"] = rng.choice(FIELDS)
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        _route(rng, net)
    for _ in range(rng.choice((0, 0, 1, 2, 3))):
        rule = _rule(rng, net)
        if rule not in host["rules"]:
            host["rules"].append(rule)


def _route(rng: random.Random, net: Net) -> None:
    host = net.host
    dst = rng.choice(PREFIXES4 if net.family == 4 else PREFIXES6)
    route: dict[str, Any] = {"dst": dst}
    if rng.random() < 0.45:
        route["table"] = rng.choice((100, 200))
    if rng.random() < 0.3:
        route["metric"] = rng.choice((5, 50, 2000))
    if rng.random() < 0.4:
        route["mtu"] = rng.choice(MTUS if net.family == 4 else MTUS[4:])
        if rng.random() < 0.3:
            route["mtu_lock"] = True
    if net.family == 4 and rng.random() < 0.12:
        route["tos"] = rng.choice((4, 8, 16))
    if rng.random() < 0.15:
        route["src"] = rng.choice(net.own)
    kind = rng.random()
    if kind < 0.12:
        route["type"] = rng.choice(("throw", "blackhole", "unreachable", "prohibit"))
        route.pop("src", None)
    elif kind < 0.6:
        ways = [_way(rng, net) for _ in range(rng.choice((2, 2, 3, 4)))]
        if net.family == 6:  # no two the same
            ways = list({(way["via"], way["dev"]): way for way in ways}.values())
        route["nexthops"] = [{**way, "weight": rng.choice((1, 1, 2, 7))} for way in ways]
    else:
        route |= _way(rng, net)
    mine = (route["dst"], route.get("table"), route.get("metric"), route.get("tos"))
    if all((r["dst"], r.get("table"), r.get("metric"), r.get("tos")) != mine for r in host["routes"]):
        host["routes"].append(route)


def _way(rng: random.Random, net: Net) -> dict[str, Any]:
    link: Link = rng.choice(net.links)
    way: dict[str, Any] = {"via": rng.choice(link.peers), "dev": link.name}
    roll = rng.random()
    if roll < 0.1:
        way |= {"via": "100.64.0.9" if net.family == 4 else "2001:db8:99::9", "onlink": True}
    elif roll < 0.2 and net.family == 4:
        del way["via"]
    return way


def _rule(rng: random.Random, net: Net) -> str:
    """A rule that looks in one of the tables, or ends there."""
    six = net.family == 6
    words = [_selector(rng, net) for _ in range(rng.choice((1, 1, 1, 2)))]
    words = list(dict.fromkeys(words))
    if len({word.split()[0] for word in words}) < len(words):
        words = words[:1]
    roll = rng.random()
    if roll < 0.12:
        action = rng.choice(("unreachable", "prohibit", "blackhole"))
    elif roll < 0.18:
        action = "goto 32766"
    else:
        action = f"lookup {rng.choice(('100', '100', '200', 'main'))}"
        if rng.random() < 0.3:
            action += f" suppress_prefixlength {rng.choice((0, 0, 8, 24, 32))}"
        elif rng.random() < 0.1:
            action += " suppress_ifgroup 7"
    inverted = "not " if rng.random() < 0.08 else ""
    return f"{'-6 ' if six else ''}{inverted}{' '.join(words)} {action}"


def _selector(rng: random.Random, net: Net) -> str:
    return rng.choice(
        (
            f"fwmark {rng.choice(('1', '7', '2/0xf', '0x4000/0x4000', '0/0xff'))}",
            f"iif {rng.choice((*(link.name for link in net.links), 'lo'))}",
            f"oif {rng.choice(net.links).name}",
            f"tos {rng.choice(('0x10', '0x08', '4'))}",
            f"ipproto {rng.choice(('tcp', 'udp', 'icmp' if net.family == 4 else 'ipv6-icmp', '47'))}",
            f"sport {rng.choice(('4000', '20-1023', '5000-65534'))}",
            f"dport {rng.choice(('80', '53', '1-1023', '8080'))}",
            f"uidrange {rng.choice(('0-0', '1000-1000', '0-4294967294'))}",
            f"from {rng.choice(net.everyone)}",
            f"to {rng.choice(net.everyone)}",
            "from all",
        )
    )


def lesson(rng: random.Random, net: Net, iface: str, hop: str) -> dict[str, Any]:
    """An ICMP error about an echo reply of the host: a path MTU, or a redirect of IPv4."""
    own, dst = rng.choice(net.own), rng.choice((*net.outside, *net.links[-1].peers))
    inner = {"src": own, "dst": dst, "proto": "icmp" if net.family == 4 else "icmpv6", "code": 0, "ident": 77}
    inner["type"] = (0 if net.family == 4 else 129) if rng.random() < 0.9 else (8 if net.family == 4 else 128)
    packet = {"src": hop, "dst": own, "proto": inner["proto"], "inner": inner, "mtu": rng.choice(MTUS)}
    packet |= {"type": 3, "code": 4} if net.family == 4 else {"type": 2, "code": 0}
    return {"inject": {"iface": iface, "packet": packet}}
