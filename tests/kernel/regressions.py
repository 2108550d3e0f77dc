"""The scenarios of ``scenarios/``, differences found once, and those of the extensions' tables, ``ext/``.

``python -m tests.kernel.regressions`` records anew what the kernel shows.
"""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

from iptables_emu.scenario.format import Scenario, load
from tests.kernel.tables import all_scenarios

HERE = Path(__file__).parent / "scenarios"
RECORDED = Path(__file__).parent / "scenarios.observed.json.gz"


def scenarios() -> list[tuple[str, Scenario]]:
    """(name and backend, scenario) of all."""
    found = [
        (f"{path.stem}-{scenario['backend']}", scenario)
        for path in sorted(HERE.glob("*.json"))
        for scenario in load(str(path), io.StringIO()).scenarios
    ]
    return found + all_scenarios()


def recorded() -> dict[str, dict[str, Any]]:
    """What the kernel showed, by name and backend."""
    with gzip.open(RECORDED, "rt") as file:
        found: dict[str, dict[str, Any]] = json.load(file)
    return found


def record() -> None:
    """Run all on the kernel and keep what it shows."""
    from iptables_emu.scenario.kernel.runner import KernelRunner

    with KernelRunner() as runner:
        seen = {name: runner.run(scenario) for name, scenario in scenarios()}
    RECORDED.write_bytes(gzip.compress(json.dumps(seen, sort_keys=True).encode(), mtime=0))


if __name__ == "__main__":
    record()
