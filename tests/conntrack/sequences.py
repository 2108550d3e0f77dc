"""Sequences of ``conntrack`` commands from a number: right ones, and wrong ones of every kind.

``python -m tests.conntrack.sequences FIRST COUNT`` compares with the real program (root, network namespaces);
``python -m tests.conntrack.sequences record FILE FIRST COUNT`` keeps its answers for those who have none.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from pathlib import Path

from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.record import of_listing
from iptables_emu.host.sysctl import Sysctls
from iptables_emu.text.conntrack.output import line
from iptables_emu.text.conntrack.program import run_conntrack
from tests.conntrack.real import Answer, Real, timeless

TICK = 4_000_000  # between two commands: what has just been set has already begun to run out
CRASHED = (-11, 139)  # the real program does so at an unknown state of SCTP
START = 1_700_000_000 * 10**9
TCP_STATES = ("NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
              "CLOSE", "LISTEN", "SYN_SENT2")  # fmt: skip
SCTP_STATES = ("NONE", "CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECD",
               "SHUTDOWN_ACK_SENT")  # fmt: skip
PROTOCOLS = ("tcp", "tcp", "tcp", "udp", "udp", "icmp", "icmpv6", "sctp", "udplite", "gre", "dccp", "99", "esp", "6")


class Writer:
    """Writes one sequence."""

    def __init__(self, number: int) -> None:
        self.rng = random.Random(number)
        self.family = 6 if self.often(0.25) else 4

    def one(self, *choices: object) -> str:
        return str(self.rng.choice(choices))

    def often(self, share: float) -> bool:
        return self.rng.random() < share

    def ip(self) -> str:
        if self.often(0.01):
            return self.one("foo", "", "1.2.3", "300.1.1.1", "fd00::9", "1.1.1.1", "0x01010101", "1.1.1.1 x", "::g")
        few = self.one(1, 2, 3)
        return f"1.1.1.{few}" if self.family == 4 or self.often(0.01) else f"fd00::{few}"

    def net(self) -> str:
        bits = (0, 8, 24, 30, 31, 32, 33, "x", "") if self.family == 4 else (0, 64, 127, 128, 129)
        return self.ip() + (f"/{self.one(*bits)}" if self.often(0.3) else "")

    def port(self) -> str:
        return self.one(1, 2, 2, 3) if self.often(0.97) else self.one("x", "-1", "70000", "0", "0x10", " 4")

    # -- parts -----------------------------------------------------------------------------------

    def addresses(self, *, whole: bool) -> list[str]:
        share = self.rng.random()
        pairs = [("-s", "-d")] if share < 0.8 else [("-r", "-q")] if share < 0.9 else [("-s", "-d"), ("-r", "-q")]
        words = [word for pair in pairs for name in pair for word in (name, self.ip())]
        if self.often(0.03):
            del words[:2]
        if whole:
            return words
        out: list[str] = []
        for name in ("-s", "-d", "-r", "-q", "--src", "--orig-dst", "--reply-src"):
            if self.often(0.12):
                out += [name, self.net() if name in ("-s", "-d", "--src") else self.ip()]
        return out

    def protocol(self, *, whole: bool) -> list[str]:
        name = self.one(*PROTOCOLS)
        out = ["-p", name]
        share = 0.98 if whole else 0.3
        if name in ("icmp", "icmpv6"):
            types = (8, 0, 13, 3, 300) if name == "icmp" else (128, 129, 139, 1)
            for what, values in (("type", types), ("code", (0, 0, 0, 3)), ("id", (1, 2, 70000))):
                if self.often(share):
                    out += [f"--{name}-{what}", self.one(*values)]
            return out
        if name in ("99", "esp"):
            return out
        src, dst = ("--srckey", "--dstkey") if name == "gre" else ("--sport", "--dport")
        word = "key" if name == "gre" else "port"
        for flag in (src, dst):
            if self.often(share):
                out += [flag, self.port()]
        if self.often(0.1):
            out += [self.one(f"--reply-{word}-src", f"--reply-{word}-dst", f"--orig-{word}-src"), self.port()]
        if name in ("tcp", "6", "sctp", "dccp") and self.often(share):
            states = {"sctp": SCTP_STATES, "dccp": ("NONE", "REQUEST", "OPEN")}.get(name, TCP_STATES)
            out += ["--state", self.one(*states) if self.often(0.98) else "FOO"]
        if name == "sctp" and self.often(share if whole else 0.05):
            out += ["--orig-vtag", self.one(1, 7), "--reply-vtag", self.one(0, 9)]
        if name == "dccp" and self.often(share if whole else 0.05):
            out += ["--role", self.one("client", "server", "c", "foo")]
        return out

    def status(self) -> str:
        names = ("ASSURED", "SEEN_REPLY", "SEEN_REPLY,ASSURED", "FIXED_TIMEOUT", "UNSET", "ASSURED,FIXED_TIMEOUT",
                 "assured", "EXPECTED", "!ASSURED", "!SEEN_REPLY", "ASSURED,!SEEN_REPLY", "UNREPLIED", "SRC_NAT",
                 "OFFLOAD", "A", "FOO", ",", "UNREPLIED,ASSURED", "")  # fmt: skip
        return self.one(*names[:4]) if self.often(0.6) else self.one(*names)

    def nat(self) -> list[str]:
        name = self.one("-n", "-g", "-j", "--src-nat", "--dst-nat", "--any-nat")
        if self.often(0.35):
            return [name]
        address = self.one("9.9.9.9", "8.8.8.8", self.ip()) if self.family == 4 else self.one("fd00::9", self.ip())
        if self.often(0.3):
            port = self.one(1, 2, 77, 80, "x", "")
            address = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        return [name, address]

    def mark(self) -> str:
        return self.one("0", "1", "5", "0x10", "1/1", "0/0xff", "5/0xf", "0x3/3", "x", "7/x", "-1")

    def output(self) -> list[str]:
        kinds = ("extended", "id", "xml", "save", "ktimestamp", "labels", "userspace", "timestamp", "extended,id",
                 "xml,extended", "save,xml", "ext", "opts", "s", "", "x,")  # fmt: skip
        return ["-o", self.one(*kinds[:5]) if self.often(0.8) else self.one(*kinds)]

    # -- commands --------------------------------------------------------------------------------

    def create(self) -> list[str]:
        parts = [self.addresses(whole=True), self.protocol(whole=True), ["-t", self.one(100, 500, 1000, 7200)]]
        if self.often(0.02):
            parts[2] = [] if self.often(0.5) else ["-t", self.one("4294967295", "-1", "x1")]
        for share, more in ((0.25, ["-u", self.status()]), (0.25, ["-m", self.mark()]), (0.15, self.nat()),
                            (0.15, ["-w", self.one(0, 1, 5, 70000)]), (0.05, ["--orig-zone", self.one(0, 1, 3)]),
                            (0.05, ["--reply-zone", self.one(0, 1, 3)]), (0.01, ["-c", "5"]), (0.01, ["-z"]),
                            (0.01, ["--label-add", "foo"]),
                            (0.02, ["-f", self.one("ipv4", "ipv6", "foo")])):  # fmt: skip
            if self.often(share):
                parts.append(more)
        if self.often(0.1):
            self.rng.shuffle(parts)
        return [self.one(*"IIIIIIA"), *[word for part in parts for word in part]]

    def filters(self) -> list[str]:
        parts = [self.addresses(whole=False)]
        for share, more in ((0.4, self.protocol(whole=False)), (0.15, ["-u", self.status()]),
                            (0.15, ["-m", self.mark()]),
                            (0.15, self.nat()), (0.1, ["-w", self.one(0, 1, 5)]), (0.03, ["--orig-zone", "1"]),
                            (0.03, ["--reply-zone", "1"]), (0.1, ["-f", self.one("ipv4", "ipv6")]),
                            (0.02, ["-c", self.one(0, 5)]), (0.02, ["-l", "foo"]), (0.02, ["--label-del"]),
                            (0.02, ["-t", self.one(50, 77)]), (0.02, ["--mask-src", "255.0.0.0"]),
                            (0.02, ["-i", "7"]), (0.02, ["-a", "1"]), (0.01, ["-e", "ALL"]), (0.01, ["-b", "5"]),
                            (0.01, ["extra"]), (0.01, ["--foo"]), (0.01, ["-x"]), (0.02, ["-z"])):  # fmt: skip
            if self.often(share):
                parts.append(more)
        self.rng.shuffle(parts)
        return [word for part in parts for word in part]

    def command(self) -> list[str]:
        share = self.rng.random()
        if share < 0.4:
            return self.create()
        if share < 0.6:
            return ["L", *(self.output() if self.often(0.5) else []), *self.filters()]
        if share < 0.72:
            if self.family == 4 or self.often(0.2):
                where = [] if self.often(0.3) else ["-f", self.one("ipv4", "ipv6")]
            else:
                where = ["-f", "ipv6"]
            change = self.rng.choice((["-m", self.mark()], ["-t", self.one(200, 900)], ["-u", self.status()], []))
            return ["U", *where, *self.filters(), *change]
        if share < 0.8:
            return ["D", *(self.output() if self.often(0.2) else []), *self.filters()]
        if share < 0.92:
            return ["G", *(self.output() if self.often(0.3) else []), *self.addresses(whole=True),
                    *self.protocol(whole=True)[: self.rng.randrange(2, 7)]]  # fmt: skip
        return list(self.rng.choice((
            ["C"], ["F"], ["F", "-f", "ipv6"], ["L", "expect"], ["L", "dying"], ["L", "unconfirmed"], ["C", "expect"],
            ["F", "expect"], ["V"], ["h"], ["h", "-p", self.one(*PROTOCOLS)], ["L", "bar"], ["U", "expect"],
            ["L", "-D"],
            ["L", "c"], ["S", "expect"], ["D", "dying"], ["G", "expect", *self.addresses(whole=True), "-p", "tcp"],
            ["I", "expect", *self.create()[1:]], ["L", "-z"],
        )))  # fmt: skip

    def sequence(self) -> list[list[str]]:
        out = [self.create() for _ in range(self.rng.randrange(2, 8))]
        out += [self.command() for _ in range(self.rng.randrange(6, 20))]
        return [["conntrack", f"-{words[0]}", *words[1:]] for words in [*out, ["L", "-o", "save"], ["L", "-o", "xml"]]]


class Ours:
    """Our side: a table whose time goes on by a tick a command."""

    def __init__(self, account: int) -> None:
        sysctls = Sysctls()
        sysctls.update({"net.netfilter.nf_conntrack_acct": account})
        self.core = Conntrack(sysctls, random.Random(0))
        self.core.now = START

    def put_in_order(self, listing: list[str]) -> None:
        """The order of the kernel's table, as it lists it: updates depend on it."""
        texts = {}
        for conn in self.core.table:
            entry = of_listing(conn, self.core.now)
            texts.setdefault(timeless(line(entry, 0)), []).append(conn)
        found = [texts[each].pop() for each in map(timeless, listing) if texts.get(each)]
        if len(found) == len(self.core.table):
            self.core.table.conns = dict.fromkeys(found)

    def run(self, argv: list[str]) -> Answer:
        self.core.now += TICK
        result = run_conntrack(argv, self.core, lambda: "")
        return Answer(result.rc, result.stdout, result.stderr)


def one_cpu(answer: Answer) -> Answer:
    """Statistics without the second CPU and the numbers, which are of all times."""
    if not answer.stdout.startswith("cpu="):
        return answer
    return Answer(answer.rc, "", answer.stderr)


def difference(number: int, real: Real) -> str:
    """The first command of a sequence that is answered otherwise, or ""."""
    real.run(["conntrack", "-F"])
    real.account(number % 2)
    ours, told = Ours(number % 2), []
    for argv in Writer(number).sequence():
        told.append(" ".join(argv))
        if argv[1] == "-U":
            ours.put_in_order(real.run(["conntrack", "-L"]).stdout.splitlines())
        wanted, answer = one_cpu(real.run(argv)), one_cpu(ours.run(argv))
        if wanted.rc in CRASHED:
            return ""
        if wanted.plain() != answer.plain():
            return "\n".join([f"sequence {number}", *told, "real:", *wanted.lines(), "here:", *answer.lines()])
    return ""


def record(path: Path, numbers: range, real: Real) -> None:
    """Keep what the real program answers, a line a sequence."""
    lines = []
    for number in numbers:
        real.run(["conntrack", "-F"])
        real.account(number % 2)
        answers = []
        for argv in Writer(number).sequence():
            order = real.run(["conntrack", "-L"]).stdout.splitlines() if argv[1] == "-U" else []
            answers.append((argv, order, one_cpu(real.run(argv)).plain()))
        lines.append(json.dumps({"account": number % 2, "answers": answers}))
    path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))


if __name__ == "__main__":
    with Real() as program:
        if sys.argv[1] == "record":
            record(Path(sys.argv[2]), range(int(sys.argv[3]), int(sys.argv[3]) + int(sys.argv[4])), program)
        else:
            first, count = int(sys.argv[1]), int(sys.argv[2])
            bad = [text for number in range(first, first + count) if (text := difference(number, program))]
            print("\n\n".join([*bad[: int(sys.argv[3]) if len(sys.argv) > 3 else 3], f"{len(bad)} of {count} differ"]))
