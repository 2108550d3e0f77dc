"""What happened to a packet, as frozen events: the engine makes them, renderers read them.

A packet's ``number`` tells packets of one run apart: the one sent in is 1, replies of the host and
copies count on.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to packet ``packet``."""

    packet: int


@dataclass(frozen=True, slots=True)
class PacketStart(Event):
    """A packet comes to be: from the wire, from this host, or back over lo (``origin``)."""

    origin: str  # "wire", "local", "reply", "loop", "copy"
    iif: str
    oif: str
    data: bytes
    looped_from: int | None = None


@dataclass(frozen=True, slots=True)
class HookEntered(Event):
    """The packet reaches a netfilter hook; ``data`` is how it looks there."""

    hook: str
    iif: str
    oif: str
    mark: int
    data: bytes


@dataclass(frozen=True, slots=True)
class TableEntered(Event):
    """A table's chain of this hook is about to be walked."""

    hook: str
    table: str
    iif: str
    oif: str
    mark: int
    data: bytes


@dataclass(frozen=True, slots=True)
class RuleSkipped(Event):
    """A rule that did not match: ``clause`` is the first that failed, ``have`` the packet's value."""

    table: str
    chain: str
    index: int
    rule: str
    clause: str = ""
    have: str = ""


@dataclass(frozen=True, slots=True)
class RuleHit(Event):
    """A rule that matched; ``verdict``: accept drop continue return jump:CHAIN goto:CHAIN stolen queue unknown."""

    table: str
    chain: str
    index: int
    rule: str
    verdict: str
    target: str = ""
    hotdrop: bool = False  # the packet was dropped by a match that could not read it
    queue: tuple[int, bool] | None = None  # NFQUEUE's, and whether the packet goes on when nobody listens


@dataclass(frozen=True, slots=True)
class ChainEnd(Event):
    """The end of a user chain: back to the caller."""

    table: str
    chain: str


@dataclass(frozen=True, slots=True)
class PolicyHit(Event):
    """The end of a base chain: its policy."""

    table: str
    chain: str
    verdict: str


@dataclass(frozen=True, slots=True)
class TableLeft(Event):
    """The table's verdict."""

    hook: str
    table: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Rewritten(Event):
    """A field changed: ``what`` as iptables names it, both values as text."""

    what: str
    before: str
    after: str
    by: str


@dataclass(frozen=True, slots=True)
class Tracked(Event):
    """Conntrack has looked at the packet: ``state`` is the ctstate word, ``entry`` its line, ``reason`` of INVALID."""

    state: str
    entry: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Confirmed(Event):
    """A new connection entered the table."""

    entry: str


@dataclass(frozen=True, slots=True)
class Routed(Event):
    """A routing decision: ``decision`` is local, forward, unreachable, prohibit, blackhole ...; of a bridge it is "up"
    to this host or "bridge" to another port. ``text`` is for people."""

    decision: str
    text: str
    oif: str = ""


@dataclass(frozen=True, slots=True)
class Logged(Event):
    """A line in the kernel's log."""

    line: str


@dataclass(frozen=True, slots=True)
class Recorded(Event):
    """A record for a listener in user space (NFLOG, ULOG)."""

    text: str


@dataclass(frozen=True, slots=True)
class Noted(Event):
    """A remark that helps to understand (an old target, a listener's verdict, a missing fact)."""

    text: str


@dataclass(frozen=True, slots=True)
class Emitted(Event):
    """A frame left by an interface. ``frame`` is the Ethernet frame."""

    iface: str
    frame: bytes


@dataclass(frozen=True, slots=True)
class Delivered(Event):
    """The packet reached a local socket (or the host's own stack)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Dropped(Event):
    """The packet ends here: ``where`` such as "filter INPUT", or "" for the kernel; ``why`` for people."""

    hook: str
    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Fate(Event):
    """The last word on a packet: sent, delivered, dropped, stolen or unknown."""

    fate: str
    text: str
