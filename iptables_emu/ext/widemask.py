"""Masks that libxtables keeps in 128 bits for both families (union nf_inet_addr).

An IPv4 mask that is written fills the first 32 bits and clears the others; one that is not written is all
ones. So ``-C`` tells the default from the same mask spelt out, and so does the kernel where it looks at all of it.
"""

from __future__ import annotations

from iptables_emu.model.address import FULL


def wide_mask(mask: int | None, family: int) -> int:
    """The 128 bits of a mask as given, None when it was not."""
    if mask is None:
        return FULL[6]
    return mask << 96 if family == 4 else mask


def narrow_mask(wide: int, family: int) -> int:
    """The family's part of it."""
    return wide >> 96 if family == 4 else wide
