"""Smaller scenarios that still differ."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

Scenario = dict[str, Any]
MATCH = re.compile(r" (?:! )?-(?:-[\w-]+|[psdio]|m \w+)(?: (?!-|!)(?:\"[^\"]*\"|\S+))*")


def shrink(scenario: Scenario, still: Callable[[Scenario], bool], tries: int = 400) -> Scenario:
    """Take away what can be taken away while ``still`` holds: steps, tables, rules, options, host settings."""
    left = tries
    changed = True
    while changed and left > 0:
        changed = False
        for smaller in _smaller(scenario):
            left -= 1
            if left <= 0:
                break
            if still(smaller):
                scenario = smaller
                changed = True
                break
    return scenario


def _smaller(scenario: Scenario) -> Iterator[Scenario]:
    """One thing less each, big things first."""
    steps = scenario["steps"]
    for size in (len(steps) // 2, len(steps) // 4, 1):
        for start in range(0, len(steps), size) if size else ():
            yield _with(scenario, lambda s, a=start, n=size: s["steps"].__delitem__(slice(a, a + n)))
    for family, lines in scenario["rulesets"].items():
        yield from _smaller_rules(scenario, family, lines)
    host = scenario["host"]
    for key in ("sysctls", "rules", "routes"):
        for one in list(host.get(key, ())):
            yield _with(scenario, lambda s, k=key, o=one: _take(s["host"][k], o))
    for number, step in enumerate(steps):
        ((action, value),) = step.items()
        if isinstance(value, list):
            for place in range(len(value)):
                yield _with(scenario, lambda s, n=number, p=place: s["steps"][n]["inject"].pop(p))
            continue
        for key in ("tos", "tcp_options_hex", "payload", "id", "df", "ttl", "mark", "uid"):
            if isinstance(value, dict) and key in value.get("packet", ()):
                yield _with(scenario, lambda s, n=number, a=action, k=key: s["steps"][n][a]["packet"].pop(k))
            elif isinstance(value, dict) and key in value:
                yield _with(scenario, lambda s, n=number, a=action, k=key: s["steps"][n][a].pop(k))


def _smaller_rules(scenario: Scenario, family: str, lines: list[str]) -> Iterator[Scenario]:
    starts = [n for n, line in enumerate(lines) if line.startswith("*")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        if len(starts) > 1:
            yield _with(scenario, lambda s, a=start, b=end: s["rulesets"][family].__delitem__(slice(a, b)))
    for number, line in enumerate(lines):
        if line.startswith(("-A", ":")):
            yield _with(scenario, lambda s, n=number: s["rulesets"][family].pop(n))
    for number, line in enumerate(lines):
        if line.startswith("-A"):
            for found in MATCH.finditer(line, 3):
                shorter = line[: found.start()] + line[found.end() :]
                yield _with(scenario, lambda s, n=number, t=shorter: s["rulesets"][family].__setitem__(n, t))


def _with(scenario: Scenario, change: Callable[[Scenario], object]) -> Scenario:
    out = copy.deepcopy(scenario)
    change(out)
    return out


def _take(container: Any, one: Any) -> None:
    if isinstance(container, dict):
        del container[one]
    else:
        container.remove(one)
