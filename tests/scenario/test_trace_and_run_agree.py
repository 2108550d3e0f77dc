"""`trace` and `run` are two doors to one engine: the same packet, rules and host have one answer."""

from __future__ import annotations

import json
import random
import tomllib
from pathlib import Path
from typing import Any

import pytest

from iptables_emu import Emulator, Host, Packet, Ruleset
from iptables_emu.packet.build import build
from iptables_emu.scenario.emulate import START_NS, emulate
from iptables_emu.trace.events import PacketStart, PolicyHit, RuleHit
from iptables_emu.trace.trace import Trace

RULESETS = Path(__file__).parents[2] / "rulesets"


def packets(host: dict[str, Any], rng: random.Random, count: int) -> list[tuple[str, dict[str, Any]]]:
    """(interface or "" for the host itself, packet): addresses of the host, of its networks, and of strangers."""
    own = [text.partition("/")[0] for i in host["interfaces"].values() for text in i["addresses"]]
    near = [f"{text.rpartition('.')[0]}.{rng.randrange(2, 250)}" for text in own]
    there = [*own, *near, "203.0.113.7", "10.0.0.1", "172.18.0.2", "255.255.255.255"]
    out = []
    for number in range(count):
        packet: dict[str, Any] = {"src": rng.choice([*near, "203.0.113.9"]), "dst": rng.choice(there), "id": number}
        packet["proto"] = rng.choice(["tcp", "tcp", "udp", "icmp", 47])
        if packet["proto"] in ("tcp", "udp"):
            packet |= {"sport": rng.randrange(1024, 65536), "dport": rng.choice([22, 53, 80, 443, 8080, 51820])}
        if packet["proto"] == "tcp":
            packet["flags"] = rng.choice(["S", "S", "SA", "A", "R", "FPU"])
        if rng.random() < 0.2:
            packet["ttl"] = 1
        where = rng.choice(["", *host["interfaces"]])
        out.append((where, packet | ({"src": rng.choice(own)} if not where else {})))
    return out


def rules_met(trace: Trace) -> list[tuple[int, str, str, int | None]]:
    return [(e.packet, e.table, e.chain, e.index if isinstance(e, RuleHit) else None)
            for e in trace.events if isinstance(e, RuleHit | PolicyHit)]  # fmt: skip


@pytest.mark.parametrize("backend", ["nft", "legacy"])
@pytest.mark.parametrize("name", ["home-router", "docker", "ufw", "kube-proxy"])
def test_the_same_answer(name: str, backend: str) -> None:
    host = tomllib.loads((RULESETS / f"{name}.host.toml").read_text())
    text = (RULESETS / f"{name}.rules").read_text()
    for where, packet in packets(host, random.Random(f"{name} {backend}"), 25):
        step = {"inject": {"iface": where, "packet": packet}} if where else {"send_local": {"packet": packet}}
        scenario = {"backend": backend, "host": host, "rulesets": {"ipv4": text}, "steps": [step]}
        seen = emulate(json.loads(json.dumps(scenario)))["steps"][0]

        sent = Packet(build(packet), iif=where)
        sent.socket = not where
        sent.uid = sent.gid = None if where else 0
        ruleset = Ruleset.loads(text, personality=backend, assume_sets=True)
        trace = Emulator(ruleset, Host.from_dict(host), now=START_NS / 1e9).send(sent)

        told = (where, packet, trace.text())
        if not seen["packets"]:
            assert trace.verdict == "DROP", told
            continue
        events = [(t["packet"], t["table"], e["chain"], e["index"])
                  for t in seen["trace"] for e in t["events"] if e["kind"] in ("rule", "policy")]  # fmt: skip
        assert sorted(rules_met(trace), key=str) == sorted(events, key=str), told
        assert [(e.iface, e.frame.hex()) for e in trace.emitted] == [
            (f["iface"], f["frame_hex"]) for f in seen["emitted"]
        ], told
        fates = {p["id"]: p["fate"] for p in seen["packets"]}
        looped = [e.packet for e in trace.events if isinstance(e, PacketStart) and e.looped_from == 1]
        assert (fates[max(looped, default=1)] in ("sent", "delivered")) is trace.passed, told
        assert trace.logs == tuple(seen["log"]), told
