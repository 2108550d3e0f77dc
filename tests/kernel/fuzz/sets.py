"""Scenarios with sets: those of the ipset tests, with all options of the set match and of SET, in all hooks."""

from __future__ import annotations

import random
from typing import Any

from iptables_emu.ext.api import Extension
from iptables_emu.ext.registry import find_match, find_target
from iptables_emu.host.host import Host
from iptables_emu.model.ruleset import Ruleset
from iptables_emu.text.ipset.load import load_sets
from iptables_emu.text.load import LoadError, load_dump
from tests.ipset.scenarios import HOST, Writer, accepted
from tests.kernel.fuzz.draw import Draw
from tests.kernel.fuzz.hosts import Link, Net
from tests.kernel.fuzz.options import Maker, options
from tests.kernel.fuzz.rules import HOOKS

LINKS = [Link("eth0", ("192.168.5.3",), ("192.168.5.9",)), Link("eth1", ("10.8.0.1",), ("10.8.0.66",))]
ENDS = ("", "", "", "", "", "", " -j ACCEPT", " -j DROP", " -j RETURN")
TRIES = 20
SHORT = 1  # seconds that some elements stay: scenarios with these wait for longer once
PAUSE = 1.4


class Sets(Writer):
    """Writes one scenario."""

    def __init__(self, rng: random.Random, number: int) -> None:
        super().__init__(number)
        self.rng = rng
        self.short = self.often(0.05)
        self.lines = [line for name in "abcd"[: rng.randrange(1, 5)] for line in self.create(name)]
        host = Host.from_dict({**HOST, "ipsets": accepted(self.lines)})
        load_sets(host, 0)
        self.known = dict(host.ipsets.families())
        self.net = Net(self.family, HOST, LINKS, (), "eth0")
        self.match: dict[str, Maker] = {
            "match-set": lambda draw: self.use(),
            "packets": lambda draw: draw.of(0, 1, 2, 3, 4),
            "bytes": lambda draw: draw.of(0, 28, 40, 60, 84, 128, 300),
        }
        self.target: dict[str, Maker] = {
            **dict.fromkeys(("add-set", "del-set", "map-set"), lambda draw: self.use()),
            "timeout": lambda draw: draw.of(0, 50, 4000, SHORT if self.short else 7),
        }

    def any_rule(self, table: str, hook: str) -> str:
        """One that loads; "" when none is found."""
        for _ in range(TRIES):
            draw = Draw(self.rng, self.net, table, hook, {})
            text = self.matched(draw) if self.often(0.8) else ""
            text += self.acts(draw) if self.often(0.5) else self.one(*ENDS)
            if text and self._loads(table, hook, text):
                return f"-A {hook}{text}"
        return f"-A {hook}"

    def matched(self, draw: Draw) -> str:
        return f" -m set{self._options(draw, find_match('set', self.family), self.match)}"

    def acts(self, draw: Draw) -> str:
        return f" -j SET{self._options(draw, find_target('SET', self.family), self.target)}"

    @staticmethod
    def _options(draw: Draw, cls: type[Extension] | None, values: dict[str, Maker]) -> str:
        return options(draw, cls, values) if cls else ""

    def _loads(self, table: str, hook: str, text: str) -> bool:
        dump = "\n".join([f"*{table}", f":{hook} ACCEPT [0:0]", f"-A {hook}{text}", "COMMIT", ""])
        ruleset = Ruleset("nft")
        ruleset.release = "1.8.9"
        try:
            load_dump(dump, self.family, "nft", ruleset=ruleset, sets=self.known)
        except LoadError:
            return False
        return True

    def all_rules(self) -> list[str]:
        out: list[str] = []
        for table, share in (("mangle", 0.8), ("filter", 0.8), ("raw", 0.3)):
            if not self.often(share):
                continue
            hooks = [hook for hook in HOOKS[table] if self.often(0.8)]
            out += [f"*{table}", *(f":{hook} ACCEPT [0:0]" for hook in hooks)]
            out += [self.any_rule(table, hook) for hook in hooks for _ in range(self.rng.randrange(4))]
            if table == "mangle" and "POSTROUTING" in hooks:
                out += [f"-A POSTROUTING -m mark --mark {mark}" for mark in (1, 5, 7)]
            out.append("COMMIT")
        return out

    def step(self) -> dict[str, Any]:
        packet = self.packet()
        if self.often(0.2):
            packet["src"] = "10.8.0.1" if self.family == 4 else "fd00:8::1"
            return {"send_local": {"packet": packet}}
        return {"inject": {"iface": self.one("eth1", "eth1", "eth1", "eth0"), "packet": packet}}


def scenario(rng: random.Random, seed: int) -> dict[str, Any]:
    """The scenario of a number."""
    writer = Sets(rng, seed)
    steps = [writer.step() for _ in range(rng.randrange(4, 12))]
    if writer.short:
        steps.insert(rng.randint(1, len(steps)), {"sleep": PAUSE})
    return {
        "name": f"sets-{seed}",
        "host": {**HOST, "ipsets": accepted(writer.lines)},
        "backend": writer.one("nft", "legacy"),
        "rulesets": {f"ipv{writer.family}": writer.all_rules() or ["*filter", "COMMIT"]},
        "steps": steps,
    }
