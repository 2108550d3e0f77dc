"""One scenario on both sides, and what kind of difference there is."""

from __future__ import annotations

import re
import time
import traceback
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from iptables_emu.scenario.compare import compared, differences
from iptables_emu.scenario.emulate import emulate
from iptables_emu.scenario.kernel.process import KernelError
from iptables_emu.scenario.kernel.runner import KernelRunner

Scenario = dict[str, Any]
SEEDS = 20  # of the emulator


@dataclass(frozen=True, slots=True)
class Outcome:
    """``kind`` is equal, differs, unsteady (two runs of the kernel differ), chance or refused (no such host).

    chance: with other random numbers the emulator agrees (a string that an IP id of the host's happens to hold).
    """

    kind: str
    lines: tuple[str, ...] = ()


def compare(runner: KernelRunner, scenario: Scenario) -> Outcome:
    """Run on both sides; a difference counts only where the kernel agrees with itself."""
    try:
        seen = runner.run(scenario)
    except (KernelError, OSError) as error:
        return Outcome("refused", (str(error),))
    lines = against(seen, scenario)
    if not lines:
        return Outcome("equal")
    if any(not against(seen, {**scenario, "seed": seed}) for seed in range(1, SEEDS)):
        return Outcome("chance", tuple(lines))
    try:
        again = runner.run(scenario)
    except (KernelError, OSError) as error:
        return Outcome("refused", (str(error),))
    if differences(seen, again, scenario) or not against(again, scenario):
        return Outcome("unsteady", tuple(lines))
    return Outcome("differs", tuple(lines))


def kind_of(outcome: Outcome) -> str:
    """The first difference without its numbers and addresses: what shrinking must keep. Empty when nothing differs."""
    if outcome.kind != "differs":
        return ""
    first = re.sub(r"\[.*|\b[0-9a-f]*:[0-9a-f:]+|\d+(\.\d+)*(:\d+)?|-A .*", "", outcome.lines[0])
    return " ".join(first.split())


def against(seen: dict[str, Any], scenario: Scenario) -> list[str]:
    """The differences of the emulator from what the kernel showed."""
    try:
        return compared(seen, partial(emulate, now=time.time_ns()), scenario)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return [
            f"the emulator failed: {type(error).__name__}: {error} ({Path(frame.filename).name} line {frame.lineno})"
        ]
