"""Scenarios from a profile and a number."""

from __future__ import annotations

import random
from typing import Any

from iptables_emu.packet.build import build
from iptables_emu.scenario.emulate import Run
from iptables_emu.scenario.format import ScenarioError, check_scenario
from tests.kernel.fuzz import hosts, kube
from tests.kernel.fuzz.rules import Writer
from tests.kernel.fuzz.talks import Talks
from tests.kernel.fuzz.traffic import Traffic

PROFILES = ("stateless", "nat", "conntrack", "routing", "ipv6", "kube", "mixed", "helpers")
Scenario = dict[str, Any]


def generate(profile: str, seed: int) -> Scenario:
    """The scenario of a number. Its replies follow what the emulator lets out, so they change where it changes."""
    rng = random.Random(f"{profile} {seed}")
    if profile == "helpers":
        return _talk(rng, f"{profile}-{seed}")
    net = hosts.make(rng, profile)
    if profile == "kube":
        lines, wishes = kube.ruleset(rng)
        if rng.random() < 0.3:
            net.host["sysctls"]["net.ipv4.conf.all.route_localnet"] = 1
    else:
        writer = Writer(rng, net, profile)
        lines, wishes = writer.ruleset(), writer.wishes
    rulesets = {"ipv6": lines} if net.family == 6 else {"ipv4": lines}
    scenario: Scenario = {
        "name": f"{profile}-{seed}",
        "host": net.host,
        "rulesets": rulesets,
        "backend": rng.choice(("nft", "legacy")),
        "steps": [],
    }
    if "-j DNAT" in str(lines) or "-j SNAT" in str(lines) or "*nat" in lines:
        scenario["random"] = True
    traffic = Traffic(rng, net, wishes, profile)
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
