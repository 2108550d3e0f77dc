"""What a rule wishes a packet to be, so that it is hit; and the small pools that rules and packets draw from."""

from __future__ import annotations

import random
from typing import Any

Wish = dict[str, Any]

PORTS = (20, 21, 22, 25, 53, 80, 81, 123, 443, 512, 600, 1023, 1024, 4000, 4001, 5000, 5353, 8080, 32768, 65535)
PAYLOADS = ("", "", "GET /index.html", "Host: a.example", "EVIL", "xyzVILtail", "q", "aaab", "USER x", "hello world")
TOS = (0, 0, 0, 2, 1, 4, 8, 16, 184, 186, 240)
TTLS = (64, 64, 64, 1, 2, 3, 5, 63, 65, 128, 255)
MARKS = (0, 1, 2, 3, 7, 16, 0x4000, 0x8001, 0xFFFFFFFF)
FLAGS = ("S", "S", "S", "SA", "A", "PA", "FA", "R", "RA", "F", "SF", "FPU", "", "SFRPAU", "SE")


def port(rng: random.Random) -> int:
    return rng.choice(PORTS)


def port_range(rng: random.Random, wish: Wish, key: str) -> str:
    """A port or a range of ports that is likely met."""
    low = port(rng)
    wish[key] = low
    kind = rng.random()
    if kind < 0.5:
        return str(low)
    if kind < 0.7:
        return f"{low}:{min(65535, low + rng.choice((1, 10, 1000)))}"
    return f":{low}" if kind < 0.85 else f"{low}:"


def weighted(rng: random.Random, choices: dict[str, int]) -> str:
    return rng.choices(list(choices), list(choices.values()))[0]
