"""What matches and targets may see and do besides the packet."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Protocol

from iptables_emu.engine.assume import Assumptions
from iptables_emu.model.address import show
from iptables_emu.trace.events import Event, Logged, Noted, Rewritten

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.host.host import Host
    from iptables_emu.packet.packet import Packet


class Path(Protocol):
    """What the way of packets through the host offers to targets."""

    def error(self, pkt: Packet, kind: int, code: int, info: int = 0) -> None:
        """An ICMP or ICMPv6 error about a packet, where one may be sent; ``info`` is its second word."""

    def send_reset(self, data: bytes, cause: Packet) -> None:
        """REJECT's RST in answer to ``cause``: routed, through OUTPUT and POSTROUTING."""

    def send_answer(self, data: bytes, cause: Packet) -> None:
        """SYNPROXY's segment in the place of a connection's other side: routed, through OUTPUT and POSTROUTING."""

    def send_copy(self, copy: Packet, gateway: int, oif: str) -> None:
        """TEE's copy: routed towards ``gateway``, untracked, through OUTPUT and POSTROUTING."""

    def bounce(self, pkt: Packet) -> None:
        """MIRROR's packet: sent out as it is, past the firewall."""


class Context:
    """One hook's view: valid while a packet is in one table of one hook."""

    __slots__ = ("assume", "conntrack", "explain", "hook", "host", "iif", "now", "oif", "path", "personality",
                 "queue", "queued", "rng", "rule", "sink", "table")  # fmt: skip

    def __init__(self, host: Host, conntrack: Conntrack, path: Path, rng: random.Random, personality: str) -> None:
        self.host, self.conntrack, self.path, self.rng = host, conntrack, path, rng
        self.personality = personality
        self.hook = self.table = ""
        self.iif = self.oif = ""  # interface names at this hook
        self.now = 0  # virtual time, nanoseconds since the epoch
        self.sink: list[Event] = []
        self.explain = False  # tell of each rule that did not match why
        self.assume: Callable[[str], bool | None] = Assumptions()  # of matches that cannot be known
        # where NFQUEUE sends a packet: the queue, and whether it goes on when nobody listens
        self.queue: tuple[int, bool] | None = None
        self.queued = False  # the table's verdict came from the program behind a queue
        self.rule = ""  # text of the rule in hand, for Rewritten.by

    def emit(self, event: Event) -> None:
        self.sink.append(event)

    def log(self, pkt: Packet, line: str) -> None:
        """A line of the kernel's log."""
        self.emit(Logged(pkt.number, line))

    def note(self, pkt: Packet, text: str) -> None:
        """A remark for the reader of the trace."""
        self.emit(Noted(pkt.number, text))

    def set_mark(self, pkt: Packet, mark: int) -> None:
        if mark != pkt.mark:
            self.emit(Rewritten(pkt.number, "mark", f"0x{pkt.mark:x}", f"0x{mark:x}", self.rule))
            pkt.mark = mark

    def set_tos(self, pkt: Packet, tos: int) -> None:
        """The TOS byte or traffic class."""
        before = pkt.tos
        if tos != before:
            pkt.set_tos(tos)
            self.rewrote(pkt, "tos", f"0x{before:02x}", f"0x{tos:02x}")

    def rewrote(self, pkt: Packet, what: str, before: object, after: object) -> None:
        """Record a change of a header field (after the target has made it)."""
        if before != after:
            self.emit(Rewritten(pkt.number, what, str(before), str(after), self.rule))

    def address_text(self, pkt: Packet, value: int) -> str:
        return show(value, pkt.family)
