"""The ways a packet may go where a match cannot be known (``trace --unknown``)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from iptables_emu.emulator import Emulator
from iptables_emu.engine.assume import Assumptions
from iptables_emu.host.host import Host
from iptables_emu.host.ipset.sets import IpSets
from iptables_emu.model.ruleset import Ruleset
from iptables_emu.packet.packet import Packet
from iptables_emu.packet.printable import printable
from iptables_emu.trace.trace import EXIT_UNKNOWN, Trace

MOST_WAYS = 64
_REST = {"match": True, "miss": False, "fork": True}


@dataclass(frozen=True, slots=True)
class Way:
    """One way, what was assumed of the host, and of the matches that cannot be known."""

    trace: Trace
    notes: Sequence[str]
    assumed: Sequence[tuple[str, bool]]
    emulator: Emulator

    @property
    def heading(self) -> str:
        """What was assumed of the matches, a line each."""
        return "".join(f"if this {'matches' if yes else 'misses'}: {printable(rule)}\n" for rule, yes in self.assumed)


def ways(
    ruleset: Ruleset, host: Host | None, packet: Packet, *, unknown: str = "", seed: int = 0,
    sets: IpSets | None = None, prepare: Callable[[Emulator], None] = lambda emulator: None,
) -> Iterator[Way]:  # fmt: skip
    """The packet's way; with ``fork`` every way it may go (at most 64), each from the same beginning.

    ``prepare`` sees each emulator before its packet.
    """
    fork = unknown == "fork"
    todo: list[tuple[bool, ...]] = [()]
    for _ in range(MOST_WAYS):
        if not todo:
            return
        assume = Assumptions(_REST.get(unknown), todo.pop())
        rules, machine = (ruleset.unused(), copy.deepcopy(host)) if fork else (ruleset, host)
        # what a trace puts into a set stays in the trace
        emulator = Emulator(rules, machine, seed=seed, assume=assume, sets=copy.deepcopy(sets))
        prepare(emulator)
        trace = emulator.send(packet)
        yield Way(trace, emulator.notes, list(zip(assume.asked, assume.answers, strict=False)), emulator)
        if fork:
            todo += reversed(list(assume.others()))


def exit_status(found: Sequence[Way]) -> int:
    """That of all ways, when they end alike; else 20, unknown."""
    statuses = {way.trace.exit_status for way in found}
    return statuses.pop() if len(statuses) == 1 else EXIT_UNKNOWN
