"""The kernel's clock tick, which rate-keeping extensions count in (kernel: CONFIG_HZ=250)."""

from __future__ import annotations

HZ = 250
NS_PER_JIFFY = 1_000_000_000 // HZ


def jiffies(now: int) -> int:
    """The tick of a time in nanoseconds."""
    return now // NS_PER_JIFFY
