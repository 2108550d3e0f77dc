"""What a NAT target asks for (kernel: struct nf_nat_range2)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NatRange:
    """Addresses and ports are inclusive; None means "not asked". ``base_port`` is the shift of ``A-B/C``."""

    min_addr: int | None = None
    max_addr: int | None = None
    min_port: int | None = None
    max_port: int | None = None
    base_port: int | None = None
    random: bool = False
    random_fully: bool = False
    persistent: bool = False
    netmap: bool = False
