"""What no kernel here can be asked: QUEUE with a listener, and MIRROR."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from iptables_emu import Emulator, Packet, Ruleset
from iptables_emu.scenario.emulate import emulate
from iptables_emu.scenario.format import find_files, kernel_refusal, load

SAMPLES = Path(__file__).parents[2] / "rulesets" / "scenarios"


def refused() -> list[Any]:
    found = [s for name in find_files([str(SAMPLES)]) for s in load(name, io.StringIO()).scenarios]
    return [pytest.param(s, id=f"{s['name']}-{s['backend']}") for s in found if kernel_refusal(s)]


def told(step: dict[str, Any]) -> list[str]:
    return [f"{e['chain']} {e['index']} {e['verdict']}" for t in step["trace"] for e in t["events"] if e["index"]]


EXPECTED = {
    # packets' fates, rules hit, frames out, of each step
    "queue-accepts": [(["sent"], ["FORWARD 1 queue"], 1), (["sent"], [], 1)],
    "queue-drops": [(["dropped in filter FORWARD"], ["FORWARD 1 queue"], 0), (["sent"], [], 1)],
    "mirror": [
        (["dropped in filter INPUT"], ["INPUT 1 stolen"], 1), (["dropped in filter INPUT"], ["INPUT 2 stolen"], 1),
        (["dropped in filter FORWARD"], ["FORWARD 1 stolen"], 1), (["delivered", "sent"], [], 1),
    ],
}  # fmt: skip


@pytest.mark.parametrize("scenario", refused())
def test_historic(scenario: dict[str, Any]) -> None:
    seen = emulate(scenario)
    assert seen["load"]["rc"] == 0
    for step, (fates, rules, frames) in zip(seen["steps"], EXPECTED[scenario["name"]], strict=False):
        assert [p["fate"].split()[0] for p in step["packets"]] == [f.split()[0] for f in fates]
        assert [" ".join(t.split()[:2]) for t in told(step)] == [" ".join(r.split()[:2]) for r in rules]
        assert len(step["emitted"]) == frames


def test_mirror_swaps_the_addresses_and_says_that_it_is_gone() -> None:
    ruleset = Ruleset.loads("*filter\n-A INPUT -p tcp -j MIRROR\n-A INPUT -j DROP\nCOMMIT\n")
    trace = Emulator(ruleset).send(Packet.parse("tcp 10.0.0.5:4000 > 1.2.3.4:80 in eth0 syn"))
    (frame,) = [e.frame for e in trace.emitted]
    assert frame[26:30] == bytes((1, 2, 3, 4))
    assert frame[30:34] == bytes((10, 0, 0, 5))
    assert "removed from Linux" in trace.text()
    assert "-A INPUT -p tcp -j MIRROR" in ruleset.dumps()
