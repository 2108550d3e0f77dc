"""Numbers as C reads them, of any length."""

from __future__ import annotations

import math

from iptables_emu.ext.cnumbers import atoll, strtod, strtoul, unsigned

U64 = (1 << 64) - 1


def test_numbers_of_any_length() -> None:
    assert strtoul("9" * 5000 + "x") == (U64, "x") == strtoul("-" + "9" * 5000 + "x")
    assert strtoul("0" * 5000 + "17") == (15, "") == strtoul("0xf")
    assert (strtoul("-1"), strtoul("x")) == ((U64, ""), (0, "x"))
    assert (atoll("9" * 5000), atoll("-" + "9" * 5000), atoll("-5")) == (U64 >> 1, 1 << 63, U64 - 4)


def test_reals() -> None:
    assert (strtod("1.5s"), strtod("0x10"), strtod("-1e3"), strtod("s")) == ((1.5, "s"), (16.0, ""), (-1e3, ""), None)
    assert strtod("9" * 5000) == (math.inf, "") == strtod("0x1p99999")
    assert (unsigned(math.inf), unsigned(-1.0), unsigned(2.0**63)) == (0, 0xFFFFFFFF, 0)
