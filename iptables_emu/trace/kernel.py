"""The trace as ip_tables' TRACE target writes it into the kernel's log: ``TRACE: filter:INPUT:rule:2 IN=eth0 ...``.

As there, a rule is told before its target runs, an unconditional ACCEPT, DROP, QUEUE or RETURN is called
"policy" or "return" (kernel: ip_tables.c, get_chainname_rulenum), and the end of a chain has the number
of its rules plus one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from iptables_emu.packet.log_line import IPOPT, TCPOPT, TCPSEQ, UID, log_line
from iptables_emu.packet.packet import Malformed, Packet
from iptables_emu.packet.printable import printable
from iptables_emu.trace.events import ChainEnd, Event, PolicyHit, Rewritten, RuleHit, RuleSkipped, TableEntered
from iptables_emu.trace.trace import Trace

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context

FLAGS: Final = TCPSEQ | TCPOPT | IPOPT | UID
STANDARD: Final = frozenset({"ACCEPT", "DROP", "QUEUE", "RETURN"})


@dataclass(slots=True)
class _Place:
    """What the log line reads of a context, and where the packet is."""

    hook: str
    iif: str
    oif: str
    pkt: Packet


def render_kernel(trace: Trace) -> str:
    """One line an event, "" when no table was entered."""
    sizes = _sizes(trace)
    places: dict[int, _Place] = {}
    lines: list[str] = []
    for event in trace.events:
        if isinstance(event, TableEntered):
            eth = trace.eth if event.packet == trace.number else b""
            place = _place(event, eth)
            places.pop(event.packet, None)
            if place is not None:
                places[event.packet] = place
        elif event.packet in places:
            lines += _event(event, places[event.packet], sizes)
    return "".join(f"{printable(line)}\n" for line in lines)


def _sizes(trace: Trace) -> dict[tuple[str, str], int]:
    """Rules by (table, chain): as given, else as far as the trace saw them."""
    sizes: dict[tuple[str, str], int] = {}
    for event in trace.events:
        if isinstance(event, RuleHit | RuleSkipped):
            key = event.table, event.chain
            sizes[key] = max(sizes.get(key, 0), event.index)
    return sizes | dict(trace.chain_sizes)


def _place(event: TableEntered, eth: bytes) -> _Place | None:
    try:
        pkt = Packet(event.data, iif=event.iif, oif=event.oif, mark=event.mark, eth=eth)
    except Malformed:
        return None
    return _Place(event.hook, event.iif, event.oif, pkt)


def _event(event: Event, place: _Place, sizes: dict[tuple[str, str], int]) -> Iterator[str]:
    if isinstance(event, Rewritten):
        _rewrite(event, place.pkt)
    elif isinstance(event, RuleHit):
        yield _line(event.table, event.chain, _comment(event, place), event.index, place)
    elif isinstance(event, ChainEnd):
        yield _line(event.table, event.chain, "return", sizes.get((event.table, event.chain), 0) + 1, place)
    elif isinstance(event, PolicyHit):
        yield _line(event.table, event.chain, "policy", sizes.get((event.table, event.chain), 0) + 1, place)


def _comment(event: RuleHit, place: _Place) -> str:
    spec = event.rule.removeprefix(f"-A {event.chain} ").strip()
    unconditional = spec.startswith("-j ") and spec[3:] in STANDARD
    if not unconditional:
        return "rule"
    return "policy" if event.chain == place.hook else "return"


def _rewrite(event: Rewritten, pkt: Packet) -> None:
    """Header fields that a rule changes at once (addresses change after the table)."""
    try:
        value = int(event.after, 0)
    except ValueError:
        return
    what = event.what.lower()
    if what == "mark":
        pkt.mark = value
    elif what in ("ttl", "hl"):
        pkt.set_ttl(value & 255)
    elif what == "tos":
        pkt.set_tos(value & 255)


def _line(table: str, chain: str, comment: str, number: int, place: _Place) -> str:
    context = cast("Context", place)  # log_line reads only the interfaces of it
    return log_line(place.pkt, context, f"TRACE: {table}:{chain}:{comment}:{number} ", FLAGS)
