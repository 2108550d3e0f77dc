"""Names of DiffServ classes, as DSCP and dscp take them (libxtables: dscp_helper.c)."""

from __future__ import annotations

from iptables_emu.options.problem import ParameterProblem
from iptables_emu.options.spec import OptionContext

# in the order in which they are looked up
CLASSES: tuple[tuple[str, int], ...] = (
    *((f"cs{i}", i << 3) for i in range(8)),
    ("be", 0),
    *((f"af{i}{j}", i << 3 | j << 1) for i in range(1, 5) for j in range(1, 4)),
    ("ef", 0x2E),
)


def dscp_class(text: str, cx: OptionContext) -> int:
    """The code point of a class; what follows the name is not looked at, as in libxtables."""
    for name, value in CLASSES:
        if text.lower().startswith(name):
            return value
    raise ParameterProblem(f"Invalid DSCP value `{text}'")
