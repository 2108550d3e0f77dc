"""Sorts the trace events of a step into packets, and their way through tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from iptables_emu.packet.describe import describe
from iptables_emu.scenario.kernel.rules import RuleIndex
from iptables_emu.scenario.kernel.trace import HOOKS, TraceEvent

# where a packet can be traced next after a hook
NEXT_HOOKS: Final = {
    "PREROUTING": ("PREROUTING", "INPUT", "FORWARD"),
    "INPUT": ("INPUT",),
    "FORWARD": ("FORWARD", "POSTROUTING"),
    "OUTPUT": ("OUTPUT", "POSTROUTING"),
    "POSTROUTING": ("POSTROUTING",),
}
STARTS: Final = ("PREROUTING:start", "OUTPUT:start")
ENDS: Final = {"INPUT:end": "delivered", "POSTROUTING:end": "sent"}
FINAL_VERDICTS: Final = ("accept", "drop", "stolen", "queue")
NAT_TARGETS: Final = re.compile(r" -j (DNAT|SNAT|MASQUERADE|REDIRECT|NETMAP)\b")


@dataclass
class SeenPacket:
    """One packet of a step.  ``looped_from``: the packet sent over lo that came back as this one."""

    id: int
    skb: int
    identity: bytes
    path: list[str]
    seen: str
    fate: str = ""
    left_by: str = ""
    by_lo: bool = False
    looped_from: int | None = None

    def observation(self) -> dict[str, Any]:
        """As observations give it."""
        out: dict[str, Any] = {"id": self.id, "path": self.path, "fate": self.fate, "seen": self.seen}
        if self.by_lo:
            out["looped_from"] = self.looped_from
        return out


@dataclass
class Traversal:
    """One packet's way through one table at one hook."""

    hook: str
    table: str
    where: dict[str, Any]
    events: list[dict[str, Any]] = field(default_factory=list)
    closed: bool = False
    verdict: str = ""

    def observation(self) -> dict[str, Any]:
        """As observations give it."""
        return {"hook": self.hook, "table": self.table, **self.where, "verdict": self.verdict, "events": self.events}


def identity(packet: bytes) -> bytes:
    """What NAT does not change: IP id (IPv6: payload length) and protocol."""
    return packet[4:6] + (packet[6:7] if packet[0] >> 4 == 6 else packet[9:10]) if packet else b""


class Tracker:
    """Takes the events of a step in their order; `observation` ends it."""

    def __init__(self, backend: str, rules: RuleIndex, interface_name: Callable[[int], str | None]):
        self._backend, self._rules, self._name = backend, rules, interface_name
        self._packets: list[SeenPacket] = []
        self._traversals: list[Traversal] = []
        self._waypoints: list[dict[str, Any]] = []
        self._sequence = 0
        self._under_way: list[SeenPacket] = []  # innermost last: replies run while a hook still does
        self._latest: dict[int, Traversal] = {}  # by packet

    def feed(self, events: Iterable[TraceEvent]) -> None:
        """Take in events."""
        for event in events:
            self._feed(event)

    def observation(self) -> dict[str, Any]:
        """The ``packets``, ``trace`` and ``waypoints`` of the step."""
        last_of: dict[int, Traversal] = {}
        nothing: dict[str, Any] = {"verdict": "continue", "rule": None}
        for traversal in sorted(self._traversals, key=lambda t: int(t.where["packet"])):
            last = traversal.events[-1] if traversal.events else nothing
            if not last["verdict"]:
                last["verdict"] = "accept" if NAT_TARGETS.search(last["rule"] or "") else "continue"
            traversal.verdict = last["verdict"]
            last_of[traversal.where["packet"]] = traversal
        for packet in self._packets:
            packet.fate = packet.fate or _lost(packet, last_of.get(packet.id))
        trace = [t.observation() for t in self._traversals]
        return {
            "packets": [packet.observation() for packet in self._packets],
            "trace": sorted(trace, key=lambda t: int(t["packet"])),
            "waypoints": sorted(self._waypoints, key=lambda w: int(w["packet"])),
        }

    def _feed(self, event: TraceEvent) -> None:
        packet = self._packet_of(event)
        if event.hook and packet.path[-1] != event.hook:
            packet.path.append(event.hook)
        self._sequence += 1
        where = {
            "packet": packet.id,
            "seq": self._sequence,
            "family": event.family,
            "in": self._name(event.in_index),
            "out": self._name(event.out_index),
            "mark": event.mark,
            "header": describe(event.packet) if event.packet else "",
            "packet_hex": event.packet.hex(),
        }
        if event.kind != "point":
            self._add_event(event, self._traversal_of(event, packet, where))
            return
        self._waypoints.append({"point": event.chain, **where})
        self._latest.pop(packet.id, None)
        if event.chain in ENDS:
            packet.fate = ENDS[event.chain]
            packet.left_by = self._name(event.out_index) or ""
            self._under_way.remove(packet)

    def _packet_of(self, event: TraceEvent) -> SeenPacket:
        if event.chain not in STARTS:
            for packet in reversed(self._under_way):
                if self._belongs(event, packet):
                    return packet
        packet = SeenPacket(
            len(self._packets) + 1,
            event.skb,
            identity(event.packet),
            [event.hook],
            describe(event.packet) if event.packet else "",
        )
        if event.chain == "PREROUTING:start" and self._name(event.in_index) == "lo":
            packet.by_lo = True
            for sent in self._packets:
                # a copy that left by another link has the same bytes
                if sent.fate == "sent" and sent.identity == packet.identity and sent.left_by == "lo":
                    packet.looped_from = sent.id
        self._packets.append(packet)
        self._under_way.append(packet)
        return packet

    def _belongs(self, event: TraceEvent, packet: SeenPacket) -> bool:
        if self._backend == "nft":
            return packet.skb == event.skb
        return event.hook in NEXT_HOOKS[packet.path[-1]] and identity(event.packet) == packet.identity

    def _traversal_of(self, event: TraceEvent, packet: SeenPacket, where: dict[str, Any]) -> Traversal:
        now = self._latest.get(packet.id)
        if self._backend == "nft":
            # the first message of a base chain brings the packet along, except a later fragment's
            here = (event.table, event.chain)
            fresh = event.chain in HOOKS and (now is None or now.closed or (now.table, now.hook) != here)
            goes_on = not (event.packet or fresh)
        else:
            goes_on = now is not None and not now.closed and (now.table, now.hook) == (event.table, event.hook)
        if now is None or not goes_on:
            now = self._latest[packet.id] = Traversal(event.hook, event.table, where)
            self._traversals.append(now)
        return now

    def _add_event(self, event: TraceEvent, traversal: Traversal) -> None:
        if event.kind == "return" and event.chain in HOOKS:
            return  # nft tells the end of a base chain, then its policy
        index, rule = self._rules.locate(event, self._backend)
        verdict = event.verdict
        told = {"chain": event.chain, "kind": event.kind, "index": index, "rule": rule}
        extra = {}
        if rule and event.kind != "rule":
            extra["told_as"] = event.kind
            told["kind"] = event.kind = "rule"
        if not verdict and self._backend == "legacy":
            verdict = self._rules.verdict(event, rule)
        if traversal.events and not traversal.events[-1]["verdict"]:
            traversal.events[-1]["verdict"] = "continue"  # it went on, so that one did not decide
        traversal.events.append({**told, "verdict": verdict, **extra})
        traversal.closed = event.kind == "policy" or verdict in FINAL_VERDICTS


def _lost(packet: SeenPacket, last: Traversal | None) -> str:
    """Where a packet that came to no end was dropped."""
    if last and last.verdict in ("drop", "stolen", "queue"):
        return f"dropped in {last.table} {last.hook}"
    return f"dropped by the kernel after {packet.path[-1]}"
