"""Sequences of ``ipset`` commands from a number: right ones, and wrong ones of every kind.

``python -m tests.ipset.sequences FIRST COUNT`` compares with the real program (root, network namespaces).
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field

from iptables_emu.host.ipset import IpSets
from iptables_emu.text.ipset.program import run_ipset
from tests.answers import Answer
from tests.ipset.transcript import Real

Command = tuple[list[str], str]  # words, standard input

NAMES = ("a", "b", "c", "d", "e")
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
OLD_NAMES = {"iphash": "hash:ip", "nethash": "hash:net", "ipmap": "bitmap:ip", "setlist": "list:set"}
RANGES = (
    "10.0.0.0/24",
    "10.0.0.0-10.0.0.7",
    "10.0.0.7-10.0.0.3",
    "10.0.0.0/16",
    "10.0.0.0/15",
    "10.0.0.1/32",
    "10.0.0.5",
)
CRASHED = -11  # the real program does so at "icmp:" in a bitmap:port


@dataclass
class Made:
    """A set that was asked for."""

    kind: str
    family: int = 4
    has: set[str] = field(default_factory=set)


class Writer:
    """Writes one sequence."""

    def __init__(self, number: int) -> None:
        self.rng = random.Random(number)
        self.sets: dict[str, Made] = {}

    def one(self, *choices: object) -> str:
        return str(self.rng.choice(choices))

    def often(self, share: float) -> bool:
        return self.rng.random() < share

    # -- elements --------------------------------------------------------------------------------

    def ip(self, family: int) -> str:
        if self.often(0.02):
            return self.one("foo", "", "1.2.3", "300.1.1.1", "[a-b]", "[abc", "fd00::1", "10.0.0.1")
        n, few = self.rng.randrange(256), self.rng.randrange(6)
        if family == 4:
            return self.one(f"10.0.0.{few}", f"10.0.0.{n}", f"10.0.{few}.{few}", "0.0.0.0", "255.255.255.255", "10.1")
        return self.one(f"fd00::{few:x}", f"fd00:{few}::{n:x}", "::1", "::", "2001:db8::1")

    def net(self, family: int) -> str:
        share, ip = self.rng.random(), self.ip(family)
        if share < 0.25:
            return ip
        if share < 0.75:
            bits = (0, 1, 8, 16, 24, 28, 30, 31, 32, 33) if family == 4 else (0, 1, 16, 64, 96, 126, 128, 129)
            return f"{ip}/{self.one(*bits)}"
        if share < 0.95:
            first, last = (f"10.0.{self.rng.randrange(4)}.{self.rng.randrange(9)}" for _ in range(2))
            return f"{first}-{last}" if family == 4 else f"{ip}-{self.ip(6)}"
        return ip + self.one("/", "-", "/a", "/-1", "/300")

    def port(self) -> str:
        number = self.one(0, 1, 22, 80, 443, 65535, "http", "foo", "-1", "65536", "0x50", "010")
        low, high = 80 + self.rng.randrange(4), 79 + self.rng.randrange(7)
        named = self.one("ping", "8/0", "3", "echo-request", "foo", "300/1", "host-unre")
        return self.one(
            number,
            number,
            f"{self.one('tcp', 'udp', 'sctp', 'udplite', '6')}:{number}",
            f"udp:{low}-{high}",
            f"{low}-{high}",
            f"{self.one('icmp', 'icmpv6', 'ICMP', '1', '58')}:{named}",
            f"{self.one('gre', 'esp', '47', '99', 'foo')}:0",
            self.one("gre:1", "tcp:", "udp:80-", "80-", "-80", "tcp:80:90", "tcp:http-https", ""),
        )

    def element(self, made: Made) -> str:
        family, kind = made.family, made.kind
        address = self.net(family) if self.often(0.3) else self.ip(family)
        if kind == "list:set":
            return self.one(*NAMES)
        if kind == "bitmap:port":
            return self.one(75 + self.rng.randrange(50), "tcp:80", "udp:80-85", "http", "gre:0", "70000")
        parts = {"hash:ip": address, "bitmap:ip": self.net(4)}.get(kind, "")
        if kind == "bitmap:ip,mac":
            parts = self.ip(4) + (f",{self.mac()}" if self.often(0.6) else "")
        elif not parts:
            parts = ",".join(self._part(word, family, place) for place, word in enumerate(kind[5:].split(",")))
        return parts + (f",{self.ip(4)}" if self.often(0.02) else "")

    def _part(self, word: str, family: int, place: int) -> str:
        if word == "port":
            return self.port()
        if word == "iface":
            return self.one("eth0", "eth0", "eth1", "eth", "physdev:eth0", "averyverylonginterfacename")
        several = word == "net" or (place == 0 and self.often(0.3))
        return self.net(family) if several else self.ip(family)

    def mac(self) -> str:
        last = self.rng.randrange(4)
        return self.one(f"00:11:22:33:44:{last:02x}", "0:1:2:3:4:5", "zz:11:22:33:44:55", "00:11:22:33:44")

    # -- commands --------------------------------------------------------------------------------

    def create(self, name: str) -> list[str]:
        asked = self.one(*OLD_NAMES, "hash:foo") if self.often(0.04) else self.one(*TYPES)
        kind = OLD_NAMES.get(asked, asked)
        made, words = Made(kind), []
        if kind.startswith("hash"):
            words = self._hash(made)
        elif kind == "bitmap:port":
            words = ["range", self.one("0-100", "90-80", "0-65535", "tcp:1-100", "http-https", "80", "gre:1-2")]
        elif kind.startswith("bitmap"):
            words = ["range", self.one(*RANGES)]
            if kind == "bitmap:ip" and self.often(0.3):
                words += ["netmask", self.one(16, 20, 24, 28, 31, 32, 33, 0)]
        elif self.often(0.4):
            words = ["size", self.one(0, 2, 8, 100)]
        if self.often(0.3):
            words += ["timeout", self.one(0, 1000, 3000, 2147483, 2147484, "x")]
            made.has.add("timeout")
        for flag in ("counters", "comment", "skbinfo"):
            if self.often(0.3):
                words.append(flag)
                made.has.add(flag)
        if self.often(0.02):
            words.append(self.one("foo", "--timeout", "nomatch", "probes"))
        self.sets.setdefault(name, made)
        return ["create", name, asked, *words]

    def _hash(self, made: Made) -> list[str]:
        words = ["initval", str(self.rng.getrandbits(32))]
        if self.often(0.3):
            words += self.rng.choice((["family", "inet6"], ["-6"], ["family", "ipv6"]))
            made.family = 6
        elif self.often(0.1):
            words += self.rng.choice((["family", "inet"], ["-4"], ["family", "any"], ["family", "bar"]))
        for share, word, values in (
            (0.3, "maxelem", (0, 1, 2, 3, 5, 20, "x", 4294967295)),
            (0.3, "hashsize", (1, 64, 64, 65, 1024, 4096)),
            (0.3, "bucketsize", (0, 1, 2, 3, 4, 12, 13, 64, 255, 256)),
            (0.1, "netmask", (0, 1, 8, 24, 30, 32, 33, 128)),
        ):
            if self.often(share):
                words += [word, self.one(*values)]
        return words + ["forceadd"] * self.often(0.2)

    def extensions(self, made: Made) -> list[str]:
        words: list[str] = []
        for word, of, values in (
            ("timeout", "timeout", (0, 1000, 500, 2147483, "x")),
            ("packets", "counters", (0, 1, 5, 18446744073709551615, "-1")),
            ("bytes", "counters", (0, 1, 5, "0x10")),
            ("comment", "comment", ("hello", "a b", "", "x" * 255, "x" * 256, 'q"q')),
            ("skbmark", "skbinfo", ("0x1", "0x10/0xff", "1", "0x0/0x0", "0x1ffffffff")),
            ("skbprio", "skbinfo", ("1:2", "0:0", "ffff:ffff", "1", "a:b")),
            ("skbqueue", "skbinfo", (0, 1, 65535, 65536)),
        ):
            if self.often(0.3 if of in made.has else 0.03):
                words += [word, self.one(*values)]
        words += ["nomatch"] * self.often(0.15)
        words += ["wildcard"] * (made.kind == "hash:net,iface" and self.often(0.1))
        return words + self._beside(made)

    def _beside(self, made: Made) -> list[str]:
        return [self.one("before", "after"), self.one(*NAMES)] if made.kind == "list:set" and self.often(0.4) else []

    def command(self) -> list[str]:
        first = [self.one("-exist", "-!", "-q", "--exist")] if self.often(0.08) else []
        share = self.rng.random()
        if share < 0.12 or not self.sets:
            return first + self.create(self.one(*NAMES))
        name = self.one(*self.sets)
        made = self.sets[name]
        name = "nosuch" if self.often(0.02) else name
        if share < 0.52:
            return [*first, "add", name, self.element(made), *self.extensions(made)]
        if share < 0.64:
            return [*first, "del", name, self.element(made), *self._beside(made)]
        if share < 0.76:
            return [*first, "test", name, self.element(made), *["nomatch"] * self.often(0.15)]
        return first + self.rng.choice(
            (
                ["list", name],
                ["list"],
                ["save"],
                ["save", name],
                ["list", "-t"],
                ["list", "-n"],
                ["list", name, "-o", "xml"],
                ["list", "-o", "save"],
                ["flush", name],
                ["flush"],
                ["destroy", name],
                ["destroy"],
                ["rename", name, self.one(*NAMES)],
                ["swap", name, self.one(*NAMES)],
            )
        )

    def batch(self) -> Command:
        lines = []
        for _ in range(self.rng.randrange(1, 30)):
            words = [word for word in self.command() if word != "-q"]
            lines.append(" ".join(f'"{word}"' if " " in word or not word else word for word in words))
        if self.often(0.2):
            odd = self.one("", "# x", "COMMIT", "  ", "bogus", "list -n", 'add a "10.0.0.1')
            lines.insert(self.rng.randrange(len(lines) + 1), odd)
        return ["restore", *["-exist"] * self.often(0.5)], "\n".join(lines) + "\n"

    def sequence(self) -> list[Command]:
        out: list[Command] = [(self.create(name), "") for name in NAMES[: self.rng.randrange(1, 5)]]
        out += [self.batch() if self.often(0.1) else (self.command(), "") for _ in range(self.rng.randrange(5, 25))]
        return [(["ipset", *words], stdin) for words, stdin in [*out, (["save"], ""), (["list"], "")]]


def seconds(text: str) -> list[int]:
    """The timeouts of an answer."""
    return [int(number) for number in re.findall(r"timeout[> ](\d+)", text)]


def near(one: Answer, other: Answer) -> bool:
    """Equal, but for what is random (initval) and for a few seconds."""
    for a, b in ((one.stdout, other.stdout), (one.stderr, other.stderr)):
        if re.sub(r"timeout([> ])\d+", r"timeout\1", a) != re.sub(r"timeout([> ])\d+", r"timeout\1", b):
            return False
        if any(abs(x - y) > 5 for x, y in zip(seconds(a), seconds(b), strict=True)):
            return False
    return one.rc == other.rc


def difference(number: int, real: Real) -> str:
    """The first command of a sequence that is answered otherwise, or ""."""
    real.empty()
    sets = IpSets(time.time_ns())
    told = []
    for argv, stdin in Writer(number).sequence():
        told.append(f"{argv} {stdin!r}" if stdin else str(argv))
        try:
            wanted = real.run(argv, stdin)
        except subprocess.TimeoutExpired:
            return ""
        result = run_ipset(argv, sets, lambda text=stdin: text)
        answer = Answer(result.rc, result.stdout, result.stderr)
        if wanted.rc in (CRASHED, 128 - CRASHED):
            return ""
        if not near(wanted, answer):
            return "\n".join([f"sequence {number}", *told, "real:", *wanted.lines(), "here:", *answer.lines()])
    return ""


if __name__ == "__main__":
    with Real() as ipset:
        numbers = range(int(sys.argv[1]), int(sys.argv[1]) + int(sys.argv[2]))
        bad = [text for number in numbers if (text := difference(number, ipset))]
    print("\n\n".join([*bad[:3], f"{len(bad)} of {sys.argv[2]} differ"]))
