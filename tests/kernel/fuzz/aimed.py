"""Rulesets around the extensions of a profile: all their options, wherever the kernel lets them stand."""

from __future__ import annotations

import random

from iptables_emu.ext.api import Extension
from iptables_emu.ext.registry import find_match, find_target
from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.load import LoadError, load_dump
from tests.kernel.fuzz.draw import Draw
from tests.kernel.fuzz.hosts import Net
from tests.kernel.fuzz.options import options
from tests.kernel.fuzz.pools import ACTING, MATCHES, TABLES
from tests.kernel.fuzz.rules import HOOKS
from tests.kernel.fuzz.values_pure import PURE
from tests.kernel.fuzz.values_state import STATE
from tests.kernel.fuzz.values_targets import TARGETS
from tests.kernel.fuzz.wishes import Wish, weighted

VALUES = {**PURE, **STATE}
NAMES = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmpv6", 33: "dccp", 50: "esp", 51: "ah", 108: "ipcomp", 132: "sctp",
         135: "mobility-header", 136: "udplite"}  # fmt: skip
TRIES = 12
REFUSED = 0.01  # how often a rule stays that the kernel should refuse
CHAINS = ("A", "B-b", "C_c", "web", "LOGDROP", "in-eth0")
ENDS = {"": 12, "ACCEPT": 2, "DROP": 1, "RETURN": 2, "chain": 3}
ACTS = {"matches": 2, "targets": 40, "stateful": 3}


class Aimed:
    """Writes one ruleset; ``wishes`` gathers what its rules want to see."""

    def __init__(self, rng: random.Random, net: Net, profile: str, backend: str) -> None:
        self.rng, self.net, self.profile, self.backend = rng, net, profile, backend
        self.wishes: list[Wish] = []
        self.acts = ACTS[profile]

    def ruleset(self) -> list[str]:
        chances = TABLES[self.profile]
        tables = [t for t, chance in chances.items() if self.rng.random() < chance] or [next(iter(chances))]
        self.rng.shuffle(tables)
        return [line for table in tables for line in self.table(table)]

    def table(self, table: str) -> list[str]:
        """Each user chain belongs to one hook, so a rule there may be what the hook allows."""
        rng = self.rng
        hooks = [h for h in HOOKS[table] if rng.random() < 0.8] or [HOOKS[table][0]]
        drops = 0.04 if table != "nat" else 0
        heads = [f":{h} {'DROP' if rng.random() < drops else 'ACCEPT'} [0:0]" for h in hooks]
        lines: list[str] = []
        for number, hook in enumerate(hooks):
            own = [f"{name}{number}" for name in rng.sample(CHAINS, rng.choice((0, 0, 1, 2)))]
            heads += [f":{name} - [0:0]" for name in own]
            rules = [f"-A {hook}{self.rule(table, hook, own)}" for _ in range(rng.choice((0, 1, 2, 3, 4)))]
            if own and rng.random() < 0.8:
                rules.insert(rng.randint(0, len(rules)), f"-A {hook} -j {own[0]}")
            lines += rules
            for at, name in enumerate(own):
                lines += [f"-A {name}{self.rule(table, hook, own[at + 1 :])}" for _ in range(rng.randint(1, 3))]
        return [f"*{table}", *heads, *lines, "COMMIT"]

    def rule(self, table: str, hook: str, chains: list[str]) -> str:
        """One that loads, but for a few."""
        for _ in range(TRIES):
            draw = Draw(self.rng, self.net, table, hook, {"hook": hook})
            text = self._rule(draw, chains)
            # in a chain of nft's that a hook calls, TCPMSS would look for a route that is not there: the kernel falls
            if self._loads(table, hook, chains, text) or (self.rng.random() < REFUSED and "TCPMSS" not in text):
                self.wishes.append(draw.wish)
                return text
        return ""

    def _loads(self, table: str, hook: str, chains: list[str], text: str) -> bool:
        heads = [f":{hook} ACCEPT [0:0]", *(f":{name} - [0:0]" for name in chains)]
        dump = "\n".join([f"*{table}", *heads, f"-A {hook}{text}", "COMMIT", ""])
        ruleset = Ruleset(self.backend)
        ruleset.release = "1.8.9"
        try:
            load_dump(dump, self.net.family, self.backend, ruleset=ruleset)
        except LoadError:
            return False
        return True

    # -- the parts of a rule -----------------------------------------------------------------------

    def _rule(self, draw: Draw, chains: list[str]) -> str:
        target = self._target(draw, chains)
        few = self.rng.choice((0, 0, 1)) if self.profile == "targets" else self.rng.choice((1, 1, 1, 2, 3))
        return self._matches(draw, few, target[0]) + (target[1] or self._end(draw, chains))

    def _matches(self, draw: Draw, few: int, target: type[Extension] | None) -> str:
        chosen = self._chosen(draw, few)
        named = [cls.PROTOCOLS for cls in (*chosen, *([target] if target else [])) if cls.PROTOCOLS]
        out = self._protocol(draw, named)
        for key, flag in (("src", "-s"), ("dst", "-d")):
            if draw.often(0.08):
                out += f"{draw.of('', '', ' !')} {flag} {draw.prefix(key)}"
        if draw.often(0.05) and draw.hook in ("PREROUTING", "INPUT", "FORWARD"):
            draw.wish["iface"] = draw.rng.choice(draw.net.links).name
            out += f" -i {draw.wish['iface']}"
        if draw.often(0.04) and not draw.six:
            out += draw.of(" -f", " ! -f")
            draw.wish["pieces"] = True
        if target and target.NAME == "SYNPROXY" and "--tcp-flags" not in out:  # its answers are drawn
            out += draw.of(" --tcp-flags RST RST", " --tcp-flags SYN,ACK SYN,ACK", " --tcp-flags FIN FIN")
            draw.wish["flags"] = draw.of("R", "SA", "FA", "FA")
        if target and target.NAME == "TCPMSS" and draw.often(0.9):
            out += draw.of(" --syn", " --tcp-flags SYN,RST SYN")
            draw.wish["flags"] = draw.of("S", "S", "SA")
        return out + "".join(f" -m {cls.NAME}{options(draw, cls, VALUES[cls.NAME])}" for cls in chosen)

    def _chosen(self, draw: Draw, few: int) -> list[type[Extension]]:
        kept = draw.hook in ("PREROUTING", "FORWARD")  # answers of the host come in the same tick as their cause
        names = [n for n in MATCHES[self.profile] if n != "connlimit" or kept]
        names = [n for n in names if self._stands(find_match(n, draw.net.family), draw)]
        found = [find_match(name, draw.net.family) for name in draw.rng.sample(names, few)]
        return [cls for cls in found if cls]

    @staticmethod
    def _stands(cls: type[Extension] | None, draw: Draw) -> bool:
        return (
            cls is not None
            and (cls.HOOKS is None or draw.hook in cls.HOOKS)
            and (cls.TABLES is None or draw.table in cls.TABLES)
        )

    @staticmethod
    def _protocol(draw: Draw, named: list[frozenset[int]]) -> str:
        if named:
            common = sorted(frozenset.intersection(*named)) or sorted(named[0])
            number = 6 if 6 in common and draw.often(0.5) else draw.rng.choice(common)
        elif draw.often(0.35):
            number = draw.rng.choice((6, 6, 17, 17, 58 if draw.six else 1, 132, 99, 50, 51, 33))
        else:
            return ""
        draw.wish["proto"] = NAMES.get(number, str(number))
        if not named and draw.often(0.1):
            return f" ! -p {number}"
        return f" -p {draw.of(NAMES.get(number, number), NAMES.get(number, number), number)}"

    def _target(self, draw: Draw, chains: list[str]) -> tuple[type[Extension] | None, str]:
        share = self.acts / (self.acts + sum(ENDS.values()))
        if draw.table != "nat" and not draw.often(share):
            return None, ""
        names = [n for n in ACTING[self.profile] if self._stands(find_target(n, draw.net.family), draw)]
        if self.backend == "legacy":  # ip_tables' trace has no number of a packet, so a copy cannot be told from it
            names = [n for n in names if n != "TEE"]
        if draw.table == "nat":
            names = [n for n in names if n in ("SNAT", "DNAT", "MASQUERADE", "NETMAP", "REDIRECT")] or names
        elif self.profile == "targets" and draw.table in ("mangle", "raw") and draw.often(0.4):
            names = [n for n in names if find_target(n, draw.net.family).TABLES] or names  # type: ignore[union-attr]
        if not names:
            return None, ""
        cls = find_target(draw.of(*names), draw.net.family)
        if cls is None:
            return None, ""
        if cls.NAME in ("DNAT", "SNAT", "REDIRECT", "MASQUERADE") and draw.often(0.5):
            draw.wish["proto"] = draw.of("tcp", "udp")
            return cls, f" -p {draw.wish['proto']} -j {cls.NAME}{options(draw, cls, TARGETS[cls.NAME])}"
        return cls, f" -j {cls.NAME}{options(draw, cls, TARGETS[cls.NAME])}"

    def _end(self, draw: Draw, chains: list[str]) -> str:
        name = weighted(self.rng, ENDS)
        if name == "chain":
            return f" -{draw.of('j', 'j', 'g')} {draw.of(*chains)}" if chains else ""
        return f" -j {name}" if name and not (name == "DROP" and draw.table == "nat") else ""
