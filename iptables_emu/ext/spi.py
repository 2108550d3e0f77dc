"""What ah, esp and ipcomp share: a range of security parameter indexes."""

from __future__ import annotations

from iptables_emu.ext import nft
from iptables_emu.ext.region import Clause, within
from iptables_emu.options.numbers import U32
from iptables_emu.options.spec import Base, Gathered

SpiRange = tuple[int, int]
ANY: SpiRange = (0, U32)


def given_spis(given: Gathered, option: str) -> tuple[SpiRange, bool]:
    """(range, inverted) of an option read by ``uint_range(32)``; all when it is not there."""
    g = given.get(option)
    return ((g.value[0], g.value[-1]), g.inverted) if g else (ANY, False)


def save_spis(option: str, spis: SpiRange, inverted: bool, base: Base) -> str:
    """`` --espspi 1:2``, or "" for all."""
    low, high = spis
    if spis == ANY and not (inverted and base.tells_not_all):
        return ""
    return f"{' !' if inverted else ''} --{option} {low}" + (f":{high}" if low != high else "")


def nft_spis(header: str, spis: SpiRange, inverted: bool) -> str:
    """``esp spi != 1-2`` in nft's language, or "" for all."""
    return "" if spis == ANY and not inverted else f"{header} spi {nft.unless(inverted)}{nft.span(*spis)}"


def list_spis(spis: SpiRange, inverted: bool) -> str:
    """``spi:1`` or ``spis:!1:2``, or "" for all."""
    low, high = spis
    if spis == ANY and not inverted:
        return ""
    sign = "!" if inverted else ""
    return f"spi:{sign}{low}" if low == high else f"spis:{sign}{low}:{high}"


def spi_clauses(field: str, option: str, spis: SpiRange, inverted: bool, base: Base) -> tuple[Clause, ...]:
    """The clause of the option; all says nothing."""
    if spis == ANY and not inverted:
        return ()
    return (within(field, (spis,), inverted, save_spis(option, spis, inverted, base).strip()),)
