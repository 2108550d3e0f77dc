"""The trace as one JSON document, for programs.

Stable: keys are added, never renamed. ``version`` counts incompatible changes. Every event has ``seq``,
its place in time over all packets, and ``type``; texts are raw (JSON escapes them).
"""

from __future__ import annotations

import json
from typing import Any, Final

from iptables_emu.packet.describe import describe, describe_frame
from iptables_emu.trace.ending import Ending
from iptables_emu.trace.events import (
    ChainEnd,
    Confirmed,
    Delivered,
    Dropped,
    Emitted,
    Event,
    Fate,
    HookEntered,
    Logged,
    Noted,
    PacketStart,
    PolicyHit,
    Recorded,
    Rewritten,
    Routed,
    RuleHit,
    RuleSkipped,
    TableEntered,
    TableLeft,
    Tracked,
)
from iptables_emu.trace.trace import Trace

Json = dict[str, Any]
VERSION: Final = 1
TYPES: Final[dict[type[Event], str]] = {
    RuleHit: "rule", RuleSkipped: "skip", ChainEnd: "end", PolicyHit: "policy", Rewritten: "rewrite",
    Tracked: "conntrack", Confirmed: "confirmed", Routed: "route", Logged: "log", Recorded: "record", Noted: "note",
    Emitted: "sent", Delivered: "delivered", Dropped: "dropped", Fate: "fate",
}  # fmt: skip


def render_json(trace: Trace, *, why: bool = False) -> str:
    """The document on indented lines; rules that did not match are listed with ``why``, counted without."""
    return json.dumps(document(trace, why), indent=1) + "\n"


def document(trace: Trace, why: bool) -> Json:
    """The document as dicts and lists."""
    packets: dict[int, _Packet] = {}
    for seq, event in enumerate(trace.events, 1):
        if event.packet not in packets:
            packets[event.packet] = _Packet(event.packet, trace.endings.parents.get(event.packet), why)
        packets[event.packet].take(seq, event)
    return {
        "format": "iptables-sim-trace",
        "version": VERSION,
        "verdict": trace.verdict,
        "passed": trace.passed,
        "exit_status": trace.exit_status,
        "text": trace.ending.text,
        "packets": [each.done(trace.endings.of(number)) for number, each in packets.items()],
    }


class _Packet:
    """One packet's object while its events come in."""

    def __init__(self, number: int, parent: int | None, why: bool) -> None:
        self.why = why
        self.out: Json = {"number": number, "parent": parent, "origin": None, "hooks": [], "events": []}
        self.hook: Json | None = None
        self.table: Json | None = None

    def take(self, seq: int, event: Event) -> None:
        match event:
            case PacketStart():
                self.out |= {"origin": event.origin, "looped_from": event.looped_from, **_seen(event)}
            case HookEntered():
                self.enter_hook(event)
            case TableEntered():
                if self.hook is None or self.hook["hook"] != event.hook:
                    self.enter_hook(event)
                assert self.hook is not None
                self.table = {"table": event.table, "verdict": None, **_seen(event), "mark": event.mark,
                              "not_matched": 0, "events": []}  # fmt: skip
                self.hook["tables"].append(self.table)
            case TableLeft():
                if self.table is not None:
                    self.table["verdict"] = event.verdict
                self.table = None
            case RuleSkipped() if self.table is not None:
                self.table["not_matched"] += 1
                if self.why:
                    self.table["events"].append(_event(seq, event))
            case _:
                (self.table or self.hook or self.out)["events"].append(_event(seq, event))

    def enter_hook(self, event: HookEntered | TableEntered) -> None:
        self.hook = {"hook": event.hook, **_seen(event), "mark": event.mark, "tables": [], "events": []}
        self.table = None
        self.out["hooks"].append(self.hook)

    def done(self, end: Ending) -> Json:
        return {**self.out, "final": {"verdict": end.verdict, "fate": end.fate or None, "text": end.text}}


def _seen(event: PacketStart | HookEntered | TableEntered) -> Json:
    return {
        "in": event.iif or None,
        "out": event.oif or None,
        "header": describe(event.data),
        "packet_hex": event.data.hex(),
    }


def _event(seq: int, event: Event) -> Json:
    out: Json = {"seq": seq, "type": TYPES[type(event)]}
    match event:
        case RuleSkipped():
            out |= {"chain": event.chain, "index": event.index, "rule": event.rule, "clause": event.clause,
                    "have": event.have}  # fmt: skip
        case RuleHit():
            out |= {"chain": event.chain, "index": event.index, "rule": event.rule, "verdict": event.verdict,
                    "target": event.target or None, "hotdrop": event.hotdrop}  # fmt: skip
        case PolicyHit():
            out |= {"chain": event.chain, "verdict": event.verdict}
        case ChainEnd():
            out |= {"chain": event.chain}
        case Emitted():
            out |= {"iface": event.iface, "frame_hex": event.frame.hex(), "summary": describe_frame(event.frame)}
        case Delivered():
            out |= {"header": describe(event.data), "packet_hex": event.data.hex()}
        case _:
            out |= _plain(event)
    return out


def _plain(event: Event) -> Json:
    match event:
        case Rewritten():
            return {"what": event.what, "before": event.before, "after": event.after, "by": event.by}
        case Tracked():
            return {"state": event.state, "entry": event.entry or None, "reason": event.reason or None}
        case Confirmed():
            return {"entry": event.entry}
        case Routed():
            return {"decision": event.decision, "text": event.text, "out": event.oif or None}
        case Logged():
            return {"line": event.line}
        case Recorded() | Noted():
            return {"text": event.text}
        case Dropped():
            return {"hook": event.hook, "where": event.where, "why": event.why}
        case Fate():
            return {"fate": event.fate, "text": event.text}
    return {}
