"""Every sample scenario: the emulator must see what the kernel sees."""

import copy
import io
from pathlib import Path
from typing import Any

import pytest

from iptables_emu.scenario.compare import differences
from iptables_emu.scenario.emulate import emulate
from iptables_emu.scenario.format import Scenario, find_files, kernel_refusal, load
from iptables_emu.scenario.kernel.runner import KernelRunner

pytestmark = pytest.mark.kernel

SAMPLES = Path(__file__).parents[2] / "rulesets" / "scenarios"


def samples() -> list[Any]:
    found = []
    for name in find_files([str(SAMPLES)]):
        for scenario in load(name, io.StringIO()).scenarios:
            if kernel_refusal(scenario):
                continue  # what the kernel has no more is tested in tests/engine/test_historic.py
            found.append(pytest.param(scenario, id=f"{Path(name).stem}-{scenario['backend']}"))
    return found


@pytest.mark.parametrize("scenario", samples())
def test_emulator_sees_what_the_kernel_sees(runner: KernelRunner, scenario: Scenario) -> None:
    found = differences(runner.run(scenario), emulate(scenario), scenario)
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize("scenario", [p for p in samples() if p.id.startswith(("01-", "37-", "41-"))])
def test_a_spoilt_observation_is_found(runner: KernelRunner, scenario: Scenario) -> None:
    seen = runner.run(scenario)
    assert differences(seen, runner.run(scenario), scenario) == []
    places = [
        (number, key)
        for number, step in enumerate(seen["steps"])
        for key in ("packets", "trace", "emitted", "log", "conntrack")
        if step.get(key)
    ]
    assert {key for _, key in places} >= {"packets", "trace", "emitted"}
    for number, key in places:
        spoilt = copy.deepcopy(seen)
        spoil(spoilt["steps"][number], key)
        assert differences(seen, spoilt, scenario), (number, key)


def spoil(step: dict[str, Any], key: str) -> None:
    """Make the last thing of a list a little wrong."""
    last = step[key][-1]
    if key == "packets":
        last["fate"] += "?"
    elif key == "trace":
        last["events"][-1]["index"] = (last["events"][-1]["index"] or 0) + 1
    elif key == "emitted":
        last["frame_hex"] = last["frame_hex"][:-1] + ("0" if last["frame_hex"][-1] != "0" else "1")
    else:
        step[key][-1] = last.replace("DST=", "DST=1").replace("dst=", "dst=1")
