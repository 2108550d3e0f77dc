"""The flat events as people read them: packets, in them hooks, in them tables, in them lines.

All renderers for people share this; every text in it is safe for a terminal.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from iptables_emu.trace.ending import Ending, Endings
from iptables_emu.trace.events import (
    ChainEnd,
    Delivered,
    Emitted,
    Event,
    Fate,
    HookEntered,
    PacketStart,
    Rewritten,
    Routed,
    RuleHit,
    RuleSkipped,
    TableEntered,
    TableLeft,
)
from iptables_emu.trace.lines import (
    Line,
    count_line,
    end_line,
    hit_line,
    link_line,
    packet_heading,
    plain_line,
    rewrite_line,
    skip_line,
    ways,
)
from iptables_emu.trace.trace import Trace


@dataclass(slots=True)
class Table:
    """One table at one hook."""

    name: str
    lines: list[Line] = field(default_factory=list)

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to say but the policy."""
        return len(self.lines) == 1 and self.lines[0].kind == "policy"


@dataclass(slots=True)
class Hook:
    """One hook: its tables, and what happened beside them, in order."""

    name: str
    ways: str
    items: list[Line | Table] = field(default_factory=list)


@dataclass(slots=True)
class Way:
    """One packet's way; ``children`` are the packets that it caused."""

    number: int
    heading: str
    ending: Ending
    items: list[Line | Hook] = field(default_factory=list)
    children: list[Way] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outline:
    """``ways`` are the packets that nothing in the trace caused; ``ending`` that of the first."""

    ways: tuple[Way, ...]
    ending: Ending


def outline(trace: Trace, why: bool) -> Outline:
    """``why`` gives each rule that did not match a line; otherwise they are counted."""
    causes = trace.endings.parents
    builders: dict[int, _Builder] = {}
    roots: list[Way] = []
    for event in trace.events:
        builder = builders.get(event.packet)
        if builder is None:
            builder = builders[event.packet] = _Builder(_way(event, trace.endings), why)
            cause = builders.get(causes.get(event.packet, -1))
            if cause is None:
                roots.append(builder.way)
            else:
                cause.way.children.append(builder.way)
                if isinstance(event, PacketStart):
                    cause.add(link_line(event))
        builder.take(event)
    for builder in builders.values():
        builder.flush()
    return Outline(tuple(roots), trace.ending)


def _way(event: Event, endings: Endings) -> Way:
    heading = packet_heading(event) if isinstance(event, PacketStart) else "a packet whose start is not in the trace"
    return Way(event.packet, heading, endings.of(event.packet))


class _Builder:
    """Puts the events of one packet where they belong."""

    __slots__ = ("chains", "hook", "rule", "skipped", "table", "way", "why")

    def __init__(self, way: Way, why: bool) -> None:
        self.way, self.why = way, why
        self.hook: Hook | None = None
        self.table: Table | None = None
        self.chains: list[tuple[str, int]] = []  # callers: (name, depth of the chain called)
        self.skipped = 0
        self.rule = ""

    @property
    def depth(self) -> int:
        return self.chains[-1][1] if self.chains else 0

    def take(self, event: Event) -> None:
        match event:
            case PacketStart() | Fate():
                self.flush()
            case HookEntered():
                self.close_hook()
                self.hook = Hook(event.hook, ways(event))
                self.way.items.append(self.hook)
            case TableEntered():
                self.enter_table(event)
            case TableLeft():
                self.close_table()
            case RuleSkipped():
                self.skip(event)
            case RuleHit():
                self.hit(event)
            case ChainEnd():
                self.end_chain(event)
            case Rewritten():
                self.add(rewrite_line(event, self.rule, self.depth))
            case _:
                if isinstance(event, Routed | Emitted | Delivered):
                    self.close_hook_of(event)
                line = plain_line(event, self.depth)
                if line:
                    self.add(line)

    def add(self, line: Line) -> None:
        self.flush()
        if self.table is not None:
            self.table.lines.append(line)
        elif self.hook is not None:
            self.hook.items.append(line)
        else:
            self.way.items.append(line)

    def flush(self) -> None:
        """Tell the rules counted so far."""
        skipped, self.skipped = self.skipped, 0
        if skipped:
            self.add(count_line(skipped, self.depth))

    def enter_table(self, event: TableEntered) -> None:
        self.close_table()
        if self.hook is None or self.hook.name != event.hook:
            self.hook = Hook(event.hook, ways(event))
            self.way.items.append(self.hook)
        self.table, self.rule = Table(event.table), ""
        self.hook.items.append(self.table)

    def close_table(self) -> None:
        self.flush()
        self.table, self.chains = None, []

    def close_hook(self) -> None:
        self.close_table()
        self.hook = None

    def close_hook_of(self, event: Event) -> None:
        """A decision of the kernel between hooks; inside a table (a target routes anew) it stays there."""
        if self.table is None or not isinstance(event, Routed):
            self.close_hook()

    def skip(self, event: RuleSkipped) -> None:
        if self.why:
            self.add(skip_line(event, self.depth))
        else:
            self.skipped += 1

    def hit(self, event: RuleHit) -> None:
        self.add(hit_line(event, self.depth))
        self.rule = event.rule
        how, colon, _ = event.verdict.partition(":")
        if colon and how == "jump":
            self.chains.append((event.chain, self.depth + 1))
        elif colon and self.chains:  # goto: the end goes to the caller's caller
            self.chains[-1] = (self.chains[-1][0], self.depth + 1)
        elif colon:
            self.chains.append(("", 1))
        elif how == "return" and self.chains:
            self.chains.pop()

    def end_chain(self, event: ChainEnd) -> None:
        self.flush()
        caller, depth = self.chains[-1] if self.chains else ("", 0)
        self.add(end_line(event, caller, depth))
        if self.chains:
            self.chains.pop()
