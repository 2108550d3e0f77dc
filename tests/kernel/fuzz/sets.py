"""Scenarios with sets: those of the ipset tests, with a name of this profile."""

from __future__ import annotations

import random
from typing import Any

from tests.ipset import scenarios


def scenario(rng: random.Random, seed: int) -> dict[str, Any]:
    return {**scenarios.scenario(seed), "name": f"sets-{seed}"}
