"""One event -> one line for people. All text is safe for a terminal from here on."""

from __future__ import annotations

from dataclasses import dataclass

from iptables_emu.packet.printable import printable
from iptables_emu.trace.brief import brief, brief_frame
from iptables_emu.trace.events import (
    ChainEnd,
    Confirmed,
    Delivered,
    Dropped,
    Emitted,
    Event,
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
    Tracked,
)

FINAL = frozenset({"accept", "drop", "stolen", "queue", "return", "unknown"})
ORIGINS = {
    "local": "made on this host",
    "reply": "the answer of this host",
    "loop": "comes back over lo",
    "copy": "a copy",
}


@dataclass(frozen=True, slots=True)
class Line:
    """``kind`` is for styles, ``label`` for the first column, ``detail`` a second line.

    ``depth`` counts the user chains the packet is in; ``link`` is the number of another packet.
    """

    kind: str
    label: str
    text: str
    verdict: str = ""
    detail: str = ""
    depth: int = 0
    link: int = 0


def rule_text(chain: str, rule: str) -> str:
    """The rule as a command would add it."""
    return printable(rule if rule.startswith("-A ") else f"-A {chain} {rule}".rstrip())


def skip_line(event: RuleSkipped, depth: int) -> Line:
    why = f"no: {printable(event.clause)}" if event.clause else "did not match"
    if event.have:
        why += f"   (packet: {printable(event.have)})"
    return Line("skip", f"rule {event.index}", rule_text(event.chain, event.rule), "", why, depth)


def count_line(skipped: int, depth: int) -> Line:
    return Line("count", "", f"{skipped} rule{'s' if skipped > 1 else ''} did not match", "", "", depth)


def hit_line(event: RuleHit, depth: int) -> Line:
    verdict = event.verdict.upper() if event.verdict in FINAL else ""
    detail = "a match could not read the packet: the kernel drops it here" if event.hotdrop else ""
    return Line("rule", f"rule {event.index}", rule_text(event.chain, event.rule), verdict, detail, depth)


def end_line(event: ChainEnd, caller: str, depth: int) -> Line:
    back = f", back to {printable(caller)}" if caller else ""
    return Line("end", "end", f"of {printable(event.chain)}{back}", "", "", depth)


def rewrite_line(event: Rewritten, rule: str, depth: int) -> Line:
    """``rule`` is the rule shown last: its rewrite need not name it again."""
    label, what = ("mark", "") if event.what == "mark" else ("rewrite", f"{printable(event.what)} ")
    by = "" if not event.by or event.by == rule else f"by {printable(event.by)}"
    return Line("rewrite", label, f"{what}{printable(event.before)} -> {printable(event.after)}", "", by, depth)


def link_line(start: PacketStart) -> Line:
    return Line("link", f"packet {start.packet}", f"{origin(start)}: {brief(start.data)}", link=start.packet)


def plain_line(event: Event, depth: int = 0) -> Line | None:
    """The line of an event that needs no surroundings; None when it has none."""
    match event:
        case PolicyHit():
            return Line("policy", "policy", printable(event.chain), event.verdict.upper())
        case Tracked():
            tail = event.entry or (f"({event.reason})" if event.reason else "")
            return Line("conntrack", "conntrack", f"{event.state}  {printable(tail)}".rstrip(), "", "", depth)
        case Confirmed():
            return Line("conntrack", "conntrack", f"kept  {printable(event.entry)}", "", "", depth)
        case Routed():
            return Line("route", "route", _route(event), "", "", depth)
        case Logged():
            return Line("log", "log", printable(event.line.rstrip()), "", "", depth)
        case Recorded():
            return Line("log", "record", printable(event.text), "", "", depth)
        case Noted():
            return Line("note", "note", printable(event.text), "", "", depth)
        case Emitted():
            return Line("sent", "sent", f"out {printable(event.iface)}: {brief_frame(event.frame)}")
        case Delivered():
            return Line("sent", "delivered", f"to this host: {brief(event.data)}")
        case Dropped() if not event.where or event.why not in ("", f"dropped in {event.where}"):
            # else the rule or policy has said it
            where = printable(event.where) or "the kernel" + (f", after {printable(event.hook)}" if event.hook else "")
            return Line("drop", "dropped", f"by {where}" + (f": {printable(event.why)}" if event.why else ""))
    return None


def _route(event: Routed) -> str:
    text = printable(event.text)
    if not text:
        text = event.decision + (f" out {printable(event.oif)}" if event.oif else "")
    return text


def origin(start: PacketStart) -> str:
    if start.origin == "wire":
        return f"in {printable(start.iif)}" if start.iif else "from the wire"
    return ORIGINS.get(start.origin, printable(start.origin))


def packet_heading(start: PacketStart) -> str:
    return f"{brief(start.data, detail=True)}   {origin(start)}"


def ways(event: HookEntered | TableEntered) -> str:
    """``in eth1 out eth0 mark 0x1``: what the hook sees beside the packet."""
    parts = [f"in {printable(event.iif)}"] if event.iif else []
    parts += [f"out {printable(event.oif)}"] if event.oif else []
    parts += [f"mark 0x{event.mark:x}"] if event.mark else []
    return " ".join(parts)
