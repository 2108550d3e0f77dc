"""Random rulesets, aimed at the packets that the traffic is made of."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.kernel.fuzz.hosts import Net
from tests.kernel.fuzz.matches import Matches
from tests.kernel.fuzz.wishes import MARKS, TOS, TTLS, Wish, port, weighted

CHAINS = ("A", "B-b", "C_c", "x.y", "zz9", "web", "deny", "LOGDROP", "in-eth0", "CHAIN-WITH-A-LONG-NAME12345")
HOOKS = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
TABLES: dict[str, dict[str, float]] = {  # how often a profile has a table
    "stateless": {"filter": 0.9, "mangle": 0.6, "raw": 0.4, "security": 0.15},
    "nat": {"nat": 1, "filter": 0.4, "mangle": 0.4, "raw": 0.1},
    "conntrack": {"filter": 0.9, "mangle": 0.5, "raw": 0.5, "nat": 0.2},
    "routing": {"filter": 0.7, "mangle": 0.7, "raw": 0.2, "nat": 0.3},
    "ipv6": {"filter": 0.8, "mangle": 0.5, "raw": 0.2, "nat": 0.4},
    "mixed": {"filter": 0.8, "mangle": 0.6, "raw": 0.3, "nat": 0.5, "security": 0.1},
}
VERDICTS = {"ACCEPT": 10, "DROP": 5, "RETURN": 7, "": 6, "chain": 12}
OTHERS: dict[str, dict[str, int]] = {
    "stateless": {"MARK": 12, "REJECT": 4, "TOS": 2, "DSCP": 2, "TTL": 2},
    "nat": {"MARK": 4, "REJECT": 2, "CONNMARK": 2},
    "conntrack": {"CONNMARK": 16, "MARK": 4, "CT": 5, "REJECT": 3},
    "routing": {"MARK": 12, "TTL": 5, "REJECT": 5, "TOS": 2},
    "ipv6": {"REJECT": 6, "MARK": 6, "HL": 4, "LOG": 4, "TOS": 2, "DSCP": 1, "CONNMARK": 1, "CT": 1, "TCPMSS": 1},
    "mixed": {
        "LOG": 6,
        "CONNMARK": 4,
        "REJECT": 4,
        "MARK": 4,
        "TTL": 2,
        "TOS": 2,
        "DSCP": 1,
        "TCPMSS": 1,
        "CT": 1,
        "CLASSIFY": 1,
    },
}
REJECTS4 = (
    "icmp-net-unreachable",
    "icmp-host-unreachable",
    "icmp-port-unreachable",
    "icmp-proto-unreachable",
    "icmp-host-prohibited",
    "icmp-admin-prohibited",
    "tcp-reset",
    "tcp-reset",
)
REJECTS6 = (
    "icmp6-no-route",
    "icmp6-adm-prohibited",
    "icmp6-addr-unreachable",
    "icmp6-port-unreachable",
    "tcp-reset",
    "tcp-reset",
)


class Writer:
    """Writes one ruleset; ``wishes`` gathers what its rules want to see."""

    def __init__(self, rng: random.Random, net: Net, profile: str) -> None:
        self.rng, self.net, self.profile = rng, net, profile
        self.six = net.family == 6
        self.wishes: list[Wish] = []

    def ruleset(self) -> list[str]:
        tables = [t for t, chance in TABLES[self.profile].items() if self.rng.random() < chance] or ["filter"]
        self.rng.shuffle(tables)
        return [line for table in tables for line in self.table(table)]

    def table(self, table: str) -> list[str]:
        rng = self.rng
        hooks = [h for h in HOOKS[table] if rng.random() < 0.85] or [HOOKS[table][0]]
        own = rng.sample(CHAINS, rng.choice((0, 1, 1, 2, 3)))
        drops = 0.06 if table != "nat" else 0.02
        lines = [f"*{table}", *(f":{h} {'DROP' if rng.random() < drops else 'ACCEPT'} [0:0]" for h in hooks)]
        lines += [f":{name} - [0:0]" for name in own]
        for hook in hooks:
            for _ in range(rng.choice((0, 1, 2, 3, 4))):
                lines.append(f"-A {hook}{self.rule(table, hook, own)}")
        for number, name in enumerate(own):  # a chain jumps to later ones only: no loops
            for _ in range(rng.randint(1, 3)):
                lines.append(f"-A {name}{self.rule(table, self._any_hook(table, hooks), own[number + 1 :])}")
        return [*lines, "COMMIT"]

    def _any_hook(self, table: str, hooks: list[str]) -> str:
        # what is allowed everywhere in a user chain depends on who jumps there, so nothing hook-bound
        return "nat-any" if table == "nat" else "any"

    def rule(self, table: str, hook: str, chains: list[str]) -> str:
        wish: Wish = {"hook": hook}
        make = Matches(self.rng, self.net, hook, self.profile)
        matches = make.base(wish) + make.more(wish)
        target = self.target(table, hook, chains, wish, matches)
        self.wishes.append(wish)
        return matches + target

    def target(self, table: str, hook: str, chains: list[str], wish: Wish, matches: str) -> str:
        rng = self.rng
        if table == "nat":
            name = weighted(rng, {"NAT": 20, "ACCEPT": 3, "RETURN": 4, "": 2, "chain": 5, "MARK": 1})
        else:
            name = weighted(rng, {**VERDICTS, **OTHERS[self.profile]})
        if name == "chain":
            return f" -{rng.choice('jjjg')} {rng.choice(chains)}" if chains else ""
        if name in ("ACCEPT", "DROP", "RETURN"):
            return f" -j {name}"
        maker = MAKERS.get(name)
        return maker(self, table, hook, wish, matches) if maker else ""

    # -- targets -----------------------------------------------------------------------------------

    def mark(self, table: str, hook: str, wish: Wish, matches: str) -> str:
        if table not in ("mangle", "nat"):
            return ""
        rng = self.rng
        kind = rng.choice(("set-mark", "set-xmark", "or-mark", "and-mark", "xor-mark"))
        mask = rng.choice(("", "/0xff", "/0xf00f")) if kind in ("set-mark", "set-xmark") else ""
        return f" -j MARK --{kind} {rng.choice(MARKS):#x}{mask}"

    def reject(self, table: str, hook: str, wish: Wish, matches: str) -> str:
        if table not in ("filter", "security") or table == "security":
            return ""
        kind = self.rng.choice(REJECTS6 if self.six else REJECTS4)
        if kind == "tcp-reset" and not (" -p tcp" in matches and "! -p" not in matches):
            kind = "icmp6-port-unreachable" if self.six else "icmp-port-unreachable"
        return f" -j REJECT --reject-with {kind}"

    def connmark(self, table: str, hook: str, wish: Wish, matches: str) -> str:
        rng = self.rng
        return " -j CONNMARK " + rng.choice(
            (
                f"--set-mark {rng.choice(MARKS):#x}",
                f"--set-xmark {rng.choice(MARKS):#x}/0xff",
                "--save-mark",
                "--save-mark --nfmask 0xff --ctmask 0xff",
                f"--or-mark {rng.choice(MARKS):#x}",
                *(("--restore-mark", "--restore-mark --nfmask 0xff --ctmask 0xff") if table == "mangle" else ()),
            )
        )

    def ct(self, table: str, hook: str, wish: Wish, matches: str) -> str:
        if table != "raw":
            return ""
        return " -j CT " + self.rng.choice(
            ("--notrack", "--notrack", "--zone 5", "--zone-orig 5", "--zone-reply 5", "--ctevents new,destroy")
        )

    def ttl(self, table: str, hook: str, wish: Wish, matches: str) -> str:
        if table != "mangle":
            return ""
        name, word = ("HL", "hl") if self.six else ("TTL", "ttl")
        kind = self.rng.choice(("set", "dec", "inc"))
        value = self.rng.choice(TTLS) if kind == "set" else self.rng.choice((1, 1, 2, 64))
        return f" -j {name} --{word}-{kind} {value}"

    def tos(self, table: str, hook: str, wish: Wish, matches: str) -> str:
        if table != "mangle":
            return ""
        value = self.rng.choice(TOS)
        return f" -j TOS --set-tos {value:#x}{self.rng.choice(('', '/0xff', '/0x3f'))}"

    def dscp(self, table: str, hook: str, wish: Wish, matches: str) -> str:
        return f" -j DSCP --set-dscp {self.rng.choice(TOS) >> 2:#x}" if table == "mangle" else ""

    def log(self, table: str, hook: str, wish: Wish, matches: str) -> str:
        options = (
            " --log-tcp-options",
            " --log-ip-options",
            " --log-tcp-sequence",
            " --log-uid",
            ' --log-prefix "L1 "',
        )
        return " -j LOG" + "".join(o for o in options if self.rng.random() < 0.25)

    def tcpmss(self, table: str, hook: str, wish: Wish, matches: str) -> str:
        if (
            table != "mangle"
            or " -p tcp" not in matches
            or "! -p" in matches
            or hook not in ("FORWARD", "OUTPUT", "POSTROUTING")
        ):
            return ""
        syn = "" if "--syn" in matches or "--tcp-flags" in matches else " --tcp-flags SYN,RST SYN"
        return f"{syn} -j TCPMSS " + self.rng.choice(("--clamp-mss-to-pmtu", "--set-mss 1000", "--set-mss 536"))

    def classify(self, table: str, hook: str, wish: Wish, matches: str) -> str:
        if table != "mangle" or hook not in ("FORWARD", "OUTPUT", "POSTROUTING"):
            return ""
        return " -j CLASSIFY --set-class 1:2"

    def nat(self, table: str, hook: str, wish: Wish, matches: str) -> str:
        """A NAT target that may stand at the hook."""
        if hook == "nat-any":
            return ""
        source = hook in ("POSTROUTING", "INPUT")
        kinds = {"SNAT": 10, "NETMAP": 4} if source else {"DNAT": 10, "NETMAP": 4, "REDIRECT": 5}
        if hook == "POSTROUTING":
            kinds["MASQUERADE"] = 6
        ports = (" -p tcp" in matches or " -p udp" in matches or " -p 6" in matches) and "! -p" not in matches
        return getattr(self, f"nat_{weighted(self.rng, kinds).lower()}")(source, ports)

    def nat_address(self, ports: bool) -> str:
        rng = self.rng
        address = rng.choice(self.net.everyone)
        text = f"[{address}]" if self.six and ports else address
        if not self.six and rng.random() < 0.25:
            head, last = address.rsplit(".", 1)
            low = min(int(last), 250)
            text = f"{head}.{low}-{head}.{low + rng.choice((1, 2, 3))}"
        if ports and rng.random() < 0.4:
            low = port(rng)
            text += f":{low}" if rng.random() < 0.6 else f":{low}-{min(65535, low + rng.choice((1, 5, 100)))}"
        elif ports and self.six:
            text = address
        return text

    def _drawn(self, often: float = 0.12) -> str:
        if self.rng.random() >= often:
            return ""
        return self.rng.choice((" --random", " --persistent", " --random-fully"))

    def nat_snat(self, source: bool, ports: bool) -> str:
        return f" -j SNAT --to-source {self.nat_address(ports)}{self._drawn()}"

    def nat_dnat(self, source: bool, ports: bool) -> str:
        return f" -j DNAT --to-destination {self.nat_address(ports)}{self._drawn(0.08).replace('-fully', '')}"

    def nat_masquerade(self, source: bool, ports: bool) -> str:
        low = port(self.rng)
        text = f" --to-ports {low}-{min(65535, low + 10)}" if ports and self.rng.random() < 0.3 else ""
        return f" -j MASQUERADE{text}{self._drawn().replace(' --persistent', '')}"

    def nat_redirect(self, source: bool, ports: bool) -> str:
        low = port(self.rng)
        return " -j REDIRECT" + (f" --to-ports {low}" if ports and self.rng.random() < 0.6 else "")

    def nat_netmap(self, source: bool, ports: bool) -> str:
        address = self.rng.choice(self.net.everyone)
        return f" -j NETMAP --to {address}/{self.rng.choice((64, 112, 128) if self.six else (24, 25, 28, 32))}"


Maker = Callable[[Writer, str, str, Wish, str], str]
MAKERS: dict[str, Maker] = {
    "MARK": Writer.mark,
    "REJECT": Writer.reject,
    "CONNMARK": Writer.connmark,
    "CT": Writer.ct,
    "TTL": Writer.ttl,
    "HL": Writer.ttl,
    "TOS": Writer.tos,
    "DSCP": Writer.dscp,
    "LOG": Writer.log,
    "TCPMSS": Writer.tcpmss,
    "CLASSIFY": Writer.classify,
    "NAT": Writer.nat,
}
