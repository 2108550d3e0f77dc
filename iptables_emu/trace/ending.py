"""How it ended for a packet: the verdict, and in words where it went or what stopped it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from iptables_emu.packet.printable import printable
from iptables_emu.trace.brief import brief, brief_frame
from iptables_emu.trace.events import (
    Delivered,
    Dropped,
    Emitted,
    Event,
    Fate,
    HookEntered,
    PacketStart,
    PolicyHit,
    RuleHit,
    TableEntered,
)

Verdict = Literal["ACCEPT", "DROP", "REJECT", "STOLEN", "QUEUE", "UNKNOWN"]
STOPS: Final = frozenset({"drop", "stolen", "queue", "unknown"})


@dataclass(frozen=True, slots=True)
class Ending:
    """``text`` is for people and safe for a terminal; ``fate`` the engine's word, "" when there is none."""

    verdict: Verdict
    text: str
    fate: str

    @property
    def passed(self) -> bool:
        return self.verdict == "ACCEPT"


def parents(events: Sequence[Event]) -> dict[int, int]:
    """Which packet each answer, copy or looped packet comes from."""
    found: dict[int, int] = {}
    unfinished: list[int] = []
    last: int | None = None
    for event in events:
        if isinstance(event, PacketStart):
            cause = unfinished[-1] if unfinished else last
            if event.looped_from is not None:
                cause = event.looped_from
            if cause is not None and cause != event.packet and event.origin not in ("wire", "local"):
                found[event.packet] = cause
            unfinished.append(event.packet)
        elif isinstance(event, Fate) and event.packet in unfinished:
            unfinished.remove(event.packet)
        last = event.packet
    return found


class Endings:
    """How it ended for each packet of a trace; the events are sorted once."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.parents = parents(events)
        self._own: dict[int, list[Event]] = {}
        self._looped: dict[int, PacketStart] = {}
        self._answers: dict[int, list[PacketStart]] = {}
        for event in events:
            self._own.setdefault(event.packet, []).append(event)
            if not isinstance(event, PacketStart):
                continue
            if event.looped_from is not None and event.packet > event.looped_from:
                self._looped.setdefault(event.looped_from, event)
            if event.origin == "reply" and event.packet in self.parents:
                self._answers.setdefault(self.parents[event.packet], []).append(event)

    def of(self, number: int) -> Ending:
        """The ending of a packet, over lo to where it comes back."""
        while True:
            own = self._own.get(number, [])
            fate = next((event for event in reversed(own) if isinstance(event, Fate)), None)
            looped = self._looped.get(number)
            if not looped or looped.origin != "loop" or (fate is not None and fate.fate != "sent"):
                break
            number = looped.packet
        if fate is None:
            return Ending("UNKNOWN", "the trace ends before the packet does", "")
        return _ending(own, fate, self._answers.get(number, []))


def _ending(own: Sequence[Event], fate: Fate, answers: Sequence[PacketStart]) -> Ending:
    why = printable(fate.text)
    stop = next((event for event in reversed(own) if isinstance(event, RuleHit | PolicyHit)), None)
    dropped = next((event for event in reversed(own) if isinstance(event, Dropped)), None)
    emitted = [event for event in own if isinstance(event, Emitted)]
    if fate.fate == "delivered":
        return Ending("ACCEPT", f"delivered to this host as {brief(_last_data(own))}", fate.fate)
    if fate.fate == "sent" and (emitted or not dropped):
        return Ending("ACCEPT", _sent(own, emitted, why), fate.fate)
    if fate.fate in ("sent", "dropped"):
        verdict: Verdict = "DROP"
        by = _by(own, stop, dropped, why)
        if isinstance(stop, RuleHit) and _is_reject(stop) and not (dropped and not dropped.where):
            verdict = "REJECT"
            by += f", answered {brief(answers[-1].data)}" if answers else ", no answer was sent"
        return Ending(verdict, by, fate.fate)
    where = _place(own, stop) if stop else ""
    text = f"by {where}: {why}" if where and why else f"by {where}" if where else why
    if fate.fate in ("stolen", "queued", "queue"):
        return Ending("STOLEN" if fate.fate == "stolen" else "QUEUE", text, fate.fate)
    return Ending("UNKNOWN", f"{where}: {why}" if where and why else where or why, fate.fate)


def _is_reject(hit: RuleHit) -> bool:
    return hit.verdict == "drop" and (hit.target or hit.rule.partition(" -j ")[2].partition(" ")[0]) == "REJECT"


def _sent(own: Sequence[Event], emitted: Sequence[Emitted], why: str) -> str:
    forwarded = any(isinstance(event, HookEntered | TableEntered) and event.hook == "FORWARD" for event in own)
    how = "forwarded" if forwarded else "sent"
    if not emitted:
        return f"{how} as {brief(_last_data(own))}" + (f" ({why})" if why and why != "sent" else "")
    pieces = f" in {len(emitted)} frames" if len(emitted) > 1 else ""
    return f"{how} out {printable(emitted[0].iface)} as {brief_frame(emitted[0].frame)}{pieces}"


def _last_data(own: Sequence[Event]) -> bytes:
    for event in reversed(own):
        if isinstance(event, Delivered | HookEntered | TableEntered | PacketStart):
            return event.data
    return b""


def _by(own: Sequence[Event], stop: RuleHit | PolicyHit | None, dropped: Dropped | None, why: str) -> str:
    reason = printable(dropped.why) if dropped and dropped.why else why
    if stop is None or stop.verdict not in STOPS or (dropped and not dropped.where):
        if dropped and dropped.where:
            return f"by {printable(dropped.where)}" + (f": {reason}" if reason else "")
        after = f" after {printable(dropped.hook)}" if dropped and dropped.hook else ""
        return f"by the kernel{after}" + (f": {reason}" if reason else "")
    place = _place(own, stop)
    if isinstance(stop, RuleHit) and stop.verdict != "drop" and reason:
        return f"by {place}: {reason}"
    return f"by {place}" + (": its match cannot read the packet" if isinstance(stop, RuleHit) and stop.hotdrop else "")


def _place(own: Sequence[Event], stop: RuleHit | PolicyHit) -> str:
    """``filter INPUT rule 3``, with the hook where the chain's name does not say it."""
    if isinstance(stop, PolicyHit):
        return f"the policy of {stop.table} {stop.chain}"
    hooks = [event.hook for event in own if isinstance(event, TableEntered)]
    at = f", at {hooks[-1]}" if hooks and hooks[-1] != stop.chain else ""
    return f"{stop.table} {printable(stop.chain)} rule {stop.index}{at}"
