"""Scenarios from a profile and a number."""

from __future__ import annotations

import random
from typing import Any

from iptables_emu.packet.build import build
from iptables_emu.scenario.emulate import Run
from iptables_emu.scenario.format import ScenarioError, check_scenario
from tests.kernel.fuzz import hosts, kube, sets
from tests.kernel.fuzz.aimed import Aimed
from tests.kernel.fuzz.crafted import Crafted
from tests.kernel.fuzz.furnish import furnish
from tests.kernel.fuzz.pools import TABLES
from tests.kernel.fuzz.rules import Writer
from tests.kernel.fuzz.talks import Talks
from tests.kernel.fuzz.traffic import Traffic

PROFILES = (
    "stateless",
    "nat",
    "conntrack",
    "routing",
    "ipv6",
    "kube",
    "mixed",
    "helpers",
    "matches",
    "targets",
    "stateful",
    "sets",
)
Scenario = dict[str, Any]


def generate(profile: str, seed: int) -> Scenario:
    """The scenario of a number. Its replies follow what the emulator lets out, so they change where it changes."""
    rng = random.Random(f"{profile} {seed}")
    if profile == "helpers":
        return _talk(rng, f"{profile}-{seed}")
    if profile == "sets":
        return sets.scenario(rng, seed)
    net = hosts.make(rng, profile)
    backend = rng.choice(("nft", "legacy"))
    lines, traffic = _written(rng, net, profile, backend)
    scenario: Scenario = {
        "name": f"{profile}-{seed}",
        "host": net.host,
        "rulesets": {"ipv6": lines} if net.family == 6 else {"ipv4": lines},
        "backend": backend,
        "steps": furnish(rng, net, str(lines)) if profile in TABLES else [],
    }
    if "-j DNAT" in str(lines) or "-j SNAT" in str(lines) or "*nat" in lines:
        scenario["random"] = True
    run = Run(scenario)
    try:
        if run.run()["load"]["rc"]:
            run = None  # type: ignore[assignment]  # it is not loaded: whether it should be is what is compared
    except Exception:
        run = None  # type: ignore[assignment]  # told when it is run
    for _ in range(rng.randint(4, 11)):
        step = traffic.step()
        if not _good(scenario, step):
            continue
        scenario["steps"].append(step)
        if run is not None:
            try:
                traffic.learn(run.step(step)["emitted"])
            except Exception:
                run = None  # type: ignore[assignment]
    if "connlimit" in str(lines):
        scenario["steps"] = [part for step in scenario["steps"] for part in _apart(step)]
    elif profile == "stateful":
        _rest(rng, scenario["steps"])
    return scenario


def _talk(rng: random.Random, name: str) -> Scenario:
    """One of conversations that helpers listen to."""
    talks = Talks(rng)
    scenario = talks.scenario(name)
    run = Run(scenario)
    run.run()
    for _ in range(rng.randint(8, 20)):
        step, talk, side = talks.step(run)
        if not _good(scenario, step):
            continue
        scenario["steps"].append(step)
        try:
            seen = run.step(step)
        except Exception:
            break  # told when it is run
        if talk is not None:
            talks.learn(talk, side, seen["emitted"])
    return scenario


def _written(rng: random.Random, net: hosts.Net, profile: str, backend: str) -> tuple[list[str], Traffic]:
    """The ruleset of a profile, and the traffic that it wishes for."""
    if profile == "kube":
        lines, wishes = kube.ruleset(rng)
        if rng.random() < 0.3:
            net.host["sysctls"]["net.ipv4.conf.all.route_localnet"] = 1
        return lines, Traffic(rng, net, wishes, profile)
    if profile in TABLES:
        aimed = Aimed(rng, net, profile, backend)
        return aimed.ruleset(), Crafted(rng, net, aimed.wishes, profile)
    writer = Writer(rng, net, profile)
    return writer.ruleset(), Traffic(rng, net, writer.wishes, profile)


def _apart(step: dict[str, Any]) -> list[dict[str, Any]]:
    """A tick of the clock before each packet: connlimit looks after what it has counted once in a tick."""
    value = step.get("inject")
    one = {"inject": value[0]} if isinstance(value, list) and value else step
    return [{"sleep": 0.01}, one]


def _rest(rng: random.Random, steps: list[dict[str, Any]]) -> None:
    """Time goes by once: 1.5 credits of the fastest rate (250 ms each), or more than the shortest memory (1 s)."""
    roll = rng.random()
    if roll < 0.2:
        steps.insert(rng.randint(0, len(steps)), {"sleep": 0.375 if roll < 0.17 else 1.375})


def _good(scenario: Scenario, step: dict[str, Any]) -> bool:
    try:
        check_scenario({**scenario, "steps": [step]}, "fuzz")
    except ScenarioError:
        return False
    value = step.get("inject", {})
    return all(_fits(scenario, one) for one in (value if isinstance(value, list) else [value]) if one)


def _fits(scenario: Scenario, one: dict[str, Any]) -> bool:
    """Whether the far end of a link can send the packet at all."""
    size = len(one["packet_hex"]) // 2 if "packet_hex" in one else len(build(one["packet"]))
    return size <= int(scenario["host"]["interfaces"][one["iface"]].get("mtu", 1500))
