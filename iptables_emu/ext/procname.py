"""Names that become files below /proc/net (kernel: x_tables.c, xt_check_proc_name)."""

from __future__ import annotations


def bad_proc_name(name: str) -> bool:
    """Whether the kernel refuses the name with EINVAL."""
    return name in ("", ".", "..") or "/" in name
