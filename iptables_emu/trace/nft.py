"""The trace as ``nft monitor trace`` prints it (nftables 1.0.6), rules in iptables' spelling.

As there, a chain's first line shows the packet, the end of a user chain says nothing, and a policy shows
the mark. A trace id is made from the packet, so it is the same in every run.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from iptables_emu.packet.printable import printable
from iptables_emu.trace.events import Event, PacketStart, PolicyHit, Rewritten, RuleHit, TableEntered
from iptables_emu.trace.lines import rule_text
from iptables_emu.trace.nft_packet import headers
from iptables_emu.trace.trace import Trace


def render_nft(trace: Trace) -> str:
    """One line an event, "" when no table was entered."""
    ids: dict[int, str] = {}
    marks: dict[int, int] = {}
    tables: dict[int, TableEntered] = {}
    lines: list[str] = []
    for event in trace.events:
        number = event.packet
        if isinstance(event, PacketStart):
            ids[number] = f"{zlib.crc32(number.to_bytes(4, 'big') + event.data):08x}"
        elif isinstance(event, Rewritten) and event.what == "mark":
            marks[number] = int(event.after, 0)
        elif isinstance(event, TableEntered):
            tables[number], marks[number] = event, event.mark
            eth = trace.eth if number == trace.number else b""
            lines.append(f"{_head(ids.get(number, '00000000'), event)} {event.hook} packet: {headers(event, eth)} ")
        elif number in tables:
            head = _head(ids.get(number, "00000000"), tables[number])
            lines += [f"{head} {text}" for text in _event(event, marks[number])]
    return "".join(f"{line}\n" for line in lines)


def _head(ident: str, event: TableEntered) -> str:
    family = "ip6" if event.data[:1] and event.data[0] >> 4 == 6 else "ip"
    return f"trace id {ident} {family} {event.table}"


def _event(event: Event, mark: int) -> Iterator[str]:
    if isinstance(event, RuleHit):
        verdict = printable(event.verdict.replace(":", " ", 1))
        yield f"{printable(event.chain)} rule {rule_text(event.chain, event.rule)} (verdict {verdict})"
    elif isinstance(event, PolicyHit):
        shown = f"meta mark 0x{mark:08x} " if mark else ""
        yield f"{printable(event.chain)} policy {event.verdict} {shown}"
