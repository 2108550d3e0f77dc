"""Scenarios from a number: sets of every type that the kernel has, rules that look into them and change them."""

from __future__ import annotations

import random
from typing import Any

from iptables_emu.host.ipset import IpSets
from iptables_emu.text.ipset.program import run_ipset

TYPES = (
    "hash:ip",
    "hash:net",
    "hash:net,iface",
    "hash:net,port",
    "hash:ip,port",
    "hash:ip,port,ip",
    "hash:ip,port,net",
    "bitmap:ip",
    "bitmap:ip,mac",
    "bitmap:port",
    "list:set",
)
HOST = {
    "interfaces": {
        "eth0": {"addresses": ["192.168.5.3/24", "fd00:5::3/64"]},
        "eth1": {"addresses": ["10.8.0.1/24", "fd00:8::1/64"]},
    },
    "routes": [
        {"dst": "0.0.0.0/0", "via": "192.168.5.1", "dev": "eth0"},
        {"dst": "::/0", "via": "fd00:5::1", "dev": "eth0"},
    ],
    "sysctls": {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1},
}


class Writer:
    """Writes one scenario."""

    def __init__(self, number: int) -> None:
        self.rng = random.Random(number)
        self.family = 6 if self.often(0.3) else 4
        self.sets: list[tuple[str, str]] = []

    def one(self, *choices: object) -> str:
        return str(self.rng.choice(choices))

    def often(self, share: float) -> bool:
        return self.rng.random() < share

    def source(self) -> str:
        return f"10.8.0.{64 + self.rng.randrange(8)}" if self.family == 4 else f"fd00:8::{4 + self.rng.randrange(6):x}"

    def destination(self) -> str:
        few = 1 + self.rng.randrange(7)
        return f"198.51.100.{few}" if self.family == 4 else f"2001:db8::{few}"

    def part(self, word: str, place: int) -> str:
        address = self.source() if self.often(0.6) else self.destination()
        bits = (8, 16, 24, 28, 30, 31, 32) if self.family == 4 else (32, 64, 120, 126, 127, 128)
        if word == "net":
            return f"{address}/{self.one(*bits)}"
        if word == "port":
            icmp = "icmp:8/0" if self.family == 4 else "icmpv6:128/0"
            return self.one("80", "53", "udp:53", "tcp:80-82", "udp:80-82", icmp, "sctp:80", "gre:0")
        if word == "iface":
            return self.one("eth0", "eth1", "eth")
        if word == "mac":
            return self.one("02:00:00:00:fe:01", "02:00:00:00:fe:02", "02:00:00:00:00:02")
        return address

    def element(self, kind: str) -> str:
        if kind == "list:set":
            return self.one(*([name for name, other in self.sets if other != "list:set"] or ["nosuch"]))
        if kind == "bitmap:port":
            return self.one(53, 80, 81)
        words = kind.partition(":")[2].split(",")
        if kind == "bitmap:ip,mac" and self.often(0.3):
            words = words[:1]
        return ",".join(self.part(word, place) for place, word in enumerate(words))

    def create(self, name: str) -> list[str]:
        kind = self.one(*TYPES)
        kind = "hash:ip" if kind.startswith("bitmap:ip") and self.family == 6 else kind
        words = {"bitmap:port": "range 50-90"}.get(kind, "")
        if kind.startswith("bitmap:ip"):
            words = self.one("range 10.8.0.64-10.8.0.79", "range 198.51.100.0/28")
        elif kind.startswith("hash"):
            words = "family inet6" if self.family == 6 else ""
            if self.often(0.15):
                words += f" maxelem {self.rng.randrange(1, 5)}" + self.one("", " forceadd")
        has = [w for w, share in (("timeout 1000", 0.3), ("counters", 0.5), ("skbinfo", 0.35)) if self.often(share)]
        lines = [f"create {name} {kind} {words} {' '.join(has)}"]
        for _ in range(self.rng.randrange(7)):
            lines.append(f"add {name} {self.element(kind)}{self.extensions(kind, has)}")
        self.sets.append((name, kind))
        return lines

    def extensions(self, kind: str, has: list[str]) -> str:
        out = " nomatch" if "net" in kind and self.often(0.3) else ""
        out += " wildcard" if "iface" in kind and self.often(0.3) else ""
        if "counters" in has and self.often(0.4):
            out += f" packets {self.rng.randrange(4)} bytes {self.rng.randrange(300)}"
        if "skbinfo" in has:
            out += self.one(
                "", f" skbmark 0x{self.rng.randrange(16):x}", " skbmark 0x5/0xf", " skbmark 0x7/0x0", " skbprio 1:2"
            )
        return out

    def use(self) -> str:
        """A set's name and its dimensions, mostly as many as it has."""
        name, kind = self.rng.choice(self.sets)
        own = len(kind.split(","))
        dims = self.rng.choice((own, own, own, own, 1, 2, 3))
        return f"{name} {','.join(self.one('src', 'dst') for _ in range(dims))}"

    def rule(self, chain: str, table: str) -> str:
        rule = f"-A {chain}"
        if self.often(0.7):
            rule += f" -m set{self.one('', '', '', ' !')} --match-set {self.use()}"
            for share, words in (
                (0.2, " --return-nomatch"),
                (0.15, " ! --update-counters"),
                (0.15, " ! --update-subcounters"),
            ):
                rule += words if self.often(share) else ""
            if self.often(0.2):
                option = self.one("--packets-eq", "--packets-lt", "--packets-gt", "! --packets-eq")
                rule += f" {option} {self.rng.randrange(4)}"
            if self.often(0.1):
                rule += f" {self.one('--bytes-lt', '--bytes-gt')} {self.rng.randrange(300)}"
        if table == "filter" and self.often(0.5):
            return rule + self.one("", " -j ACCEPT", " -j DROP", " -j RETURN")
        share = self.rng.random()
        if share < 0.45:
            more = self.one("", " --exist") + self.one("", "", " --timeout 0", " --timeout 50")
            return f"{rule} -j SET --add-set {self.use()}{more}"
        if share < 0.65 or table == "filter":
            return f"{rule} -j SET --del-set {self.use()}"
        prio = " --map-prio" if chain in ("FORWARD", "POSTROUTING") and self.often(0.3) else ""
        return f"{rule} -j SET --map-set {self.use()} --map-mark{prio}"

    def rules(self) -> list[str]:
        mangle = [
            self.rule(self.one("PREROUTING", "FORWARD", "POSTROUTING"), "mangle") for _ in range(self.rng.randrange(4))
        ]
        marks = [f"-A FORWARD -m mark --mark {mark}" for mark in (1, 5, 7)]
        rules = [
            self.rule(self.one("FORWARD", "FORWARD", "INPUT", "OUTPUT"), "filter")
            for _ in range(self.rng.randrange(1, 9))
        ]
        chains = [f":{chain} ACCEPT [0:0]" for chain in ("INPUT", "FORWARD", "OUTPUT")]
        hooks = [f":{chain} ACCEPT [0:0]" for chain in ("PREROUTING", "FORWARD", "POSTROUTING")]
        return ["*mangle", *hooks, *mangle, *marks, "COMMIT", "*filter", *chains, *rules, "COMMIT"]

    def packet(self) -> dict[str, Any]:
        proto = self.one("udp", "udp", "tcp", "icmp" if self.family == 4 else "icmpv6")
        own = "10.8.0.1" if self.family == 4 else "fd00:8::1"
        packet: dict[str, Any] = {
            "src": self.source(),
            "dst": self.destination() if self.often(0.85) else own,
            "proto": proto,
        }
        if proto in ("udp", "tcp"):
            packet |= {"sport": self.rng.choice((80, 53, 4000)), "dport": self.rng.choice((80, 81, 53, 5))}
        return {**packet, "flags": "S"} if proto == "tcp" else packet


def accepted(lines: list[str]) -> str:
    """Those of the lines that ipset takes."""
    sets = IpSets(1)
    return "".join(f"{line}\n" for line in lines if run_ipset(["ipset", *line.split()], sets).rc == 0)


def scenario(number: int) -> dict[str, Any]:
    """The scenario of a number."""
    writer = Writer(number)
    lines = [line for name in "abcd"[: writer.rng.randrange(1, 5)] for line in writer.create(name)]
    steps = [{"inject": {"iface": "eth1", "packet": writer.packet()}} for _ in range(writer.rng.randrange(4, 12))]
    return {
        "name": f"sets-{number}",
        "host": {**HOST, "ipsets": accepted(lines)},
        "backend": writer.one("nft", "legacy"),
        "rulesets": {f"ipv{writer.family}": writer.rules()},
        "steps": steps,
    }
