"""Options of an extension, chosen by its own option table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from iptables_emu.ext.api import Extension
from iptables_emu.options.spec import Opt
from tests.kernel.fuzz.draw import Draw

Maker = Callable[[Draw], str]
Values = Mapping[str, Mapping[str, Maker]]  # extension -> option's key -> its text
BOTH_SIDES = 0.2  # how often "!" stands before what can have it


# the groups of the process that runs a scenario on the kernel are nobody's business
# what osf logs goes where the trace of the kernel's side goes
# and --expevents alone switches off the events by which a scenario sees connections
UNDRAWN = {"owner": ("suppl-groups",), "osf": ("log",), "CT": ("expevents",)}


def options(draw: Draw, cls: type[Extension], values: Mapping[str, Maker]) -> str:
    """A choice that the table allows: what it demands, and of the rest some."""
    share = draw.rng.choice((0.12, 0.25, 0.5, 0.9))
    rows = [opt for opt in cls.OPTIONS if opt.id not in UNDRAWN.get(cls.NAME, ())]
    draw.rng.shuffle(rows)
    chosen: dict[str, Opt] = {}
    for opt in rows:
        if opt.mandatory:
            chosen.setdefault(opt.id, opt)
    for opt in rows:
        if draw.often(share):
            _take(chosen, opt, rows)
    if not chosen and rows and draw.often(0.97):
        _take(chosen, rows[0], rows)
    return "".join(_words(draw, opt, values) for opt in chosen.values())


def _take(chosen: dict[str, Opt], opt: Opt, rows: list[Opt]) -> None:
    """Add an option and those that it needs, unless one is there that it cannot stand beside."""
    if opt.id in chosen or any(opt.id in other.excludes or other.id in opt.excludes for other in chosen.values()):
        return
    chosen[opt.id] = opt
    for other in rows:
        if other.id in opt.also:
            _take(chosen, other, rows)


def _words(draw: Draw, opt: Opt, values: Mapping[str, Maker]) -> str:
    no = " !" if opt.invert and draw.often(BOTH_SIDES) else ""
    if opt.convert is None or opt.id not in values:
        return f"{no} --{opt.name}"
    text = values[opt.id](draw)
    return f"{no} --{opt.name} {text}" if text else f"{no} --{opt.name}"


def missing(cls: type[Extension], values: Mapping[str, Maker]) -> list[str]:
    """The options that need a value and have no maker."""
    return sorted({opt.id for opt in cls.OPTIONS if opt.convert is not None and not opt.bare} - set(values))
