"""Run random scenarios on both sides: ``python -m tests.kernel.fuzz --profile nat --seed 1 --count 200``."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from iptables_emu.host.host import HostError
from iptables_emu.scenario.kernel.runner import KernelRunner, unavailable
from tests.kernel.fuzz.both import Outcome, compare, kind_of
from tests.kernel.fuzz.generate import PROFILES, generate
from tests.kernel.fuzz.shrink import shrink


def main() -> int:
    """One line for each scenario that differs, then the first difference; at the end the counts."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--profile", choices=(*PROFILES, "all"), default="all")
    parser.add_argument("--seed", type=int, default=1, help="the first scenario's number")
    parser.add_argument("--count", type=int, default=50, help="how many of each profile")
    parser.add_argument("--lines", type=int, default=1, help="how many differences of a scenario are shown")
    parser.add_argument("--save", type=Path, metavar="DIR", help="shrink what differs and keep it there")
    parser.add_argument("--no-shrink", action="store_true", help="keep it whole")
    given = parser.parse_args()
    reason = unavailable()
    if reason:
        print(f"fuzz: {reason}", file=sys.stderr)
        return 2
    profiles = PROFILES if given.profile == "all" else (given.profile,)
    total = 0
    with KernelRunner() as runner:
        for profile in profiles:
            counts: Counter[str] = Counter()
            for seed in range(given.seed, given.seed + given.count):
                try:
                    scenario = generate(profile, seed)
                except HostError:  # a gateway on no link, which the kernel refuses, too
                    counts["refused"] += 1
                    continue
                outcome = compare(runner, scenario)
                counts[outcome.kind] += 1
                if outcome.kind in ("differs", "refused"):
                    _tell(scenario, outcome, given.lines)
                if outcome.kind == "differs" and given.save:
                    _keep(runner, scenario, outcome, given.save, given.no_shrink)
            print(
                f"{profile}: {given.count} scenarios, " + ", ".join(f"{counts[k]} {k}" for k in sorted(counts)),
                flush=True,
            )
            total += counts["differs"]
    return 1 if total else 0


def _tell(scenario: dict[str, Any], outcome: Outcome, shown: int) -> None:
    print(f"{scenario['name']} [{scenario['backend']}] {outcome.kind}, {len(outcome.lines)} lines")
    for line in outcome.lines[:shown]:
        print(f"    {line}", flush=True)


def _keep(runner: KernelRunner, scenario: dict[str, Any], outcome: Outcome, where: Path, whole: bool) -> None:
    if not whole:
        kind = kind_of(outcome)
        scenario = shrink(scenario, lambda one: kind_of(compare(runner, one)) == kind)
        outcome = compare(runner, scenario)
    where.mkdir(parents=True, exist_ok=True)
    told = {"name": scenario["name"], "about": list(outcome.lines[:6]), **scenario}
    (where / f"{scenario['name']}.json").write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
