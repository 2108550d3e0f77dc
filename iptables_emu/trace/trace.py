"""What one packet's way through the host gave: the events, and the few things most people ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from iptables_emu.trace.ending import Ending, Endings, Verdict
from iptables_emu.trace.events import Emitted, Event, Logged, PacketStart

EXIT_PASSED, EXIT_STOPPED, EXIT_UNKNOWN = 0, 10, 20


@dataclass(frozen=True)
class Trace:
    """``events`` in the order of time; the first packet is the one that was sent in.

    ``chain_sizes`` gives the number of rules by (table, chain) and ``eth`` the Ethernet header that the
    packet came with; only the formats that imitate the kernel need them.
    """

    events: tuple[Event, ...]
    chain_sizes: Mapping[tuple[str, str], int] = field(default_factory=dict, compare=False)
    eth: bytes = b""

    @cached_property
    def number(self) -> int:
        """The number of the packet that was sent in."""
        return next((event.packet for event in self.events if isinstance(event, PacketStart)), 1)

    @cached_property
    def endings(self) -> Endings:
        """How it ended for each packet."""
        return Endings(self.events)

    @cached_property
    def ending(self) -> Ending:
        """How it ended for the packet that was sent in."""
        return self.endings.of(self.number)

    @property
    def verdict(self) -> Verdict:
        """ACCEPT, DROP, REJECT, STOLEN, QUEUE or UNKNOWN."""
        return self.ending.verdict

    @property
    def passed(self) -> bool:
        """Whether the packet was sent on or delivered."""
        return self.ending.passed

    @property
    def exit_status(self) -> int:
        """Of ``iptables-sim trace``: 0 passed, 10 stopped, 20 unknown."""
        if self.verdict == "UNKNOWN":
            return EXIT_UNKNOWN
        return EXIT_PASSED if self.passed else EXIT_STOPPED

    @property
    def emitted(self) -> tuple[Emitted, ...]:
        """Every frame that left, of any packet."""
        return tuple(event for event in self.events if isinstance(event, Emitted))

    @property
    def logs(self) -> tuple[str, ...]:
        """The lines of the kernel's log."""
        return tuple(event.line for event in self.events if isinstance(event, Logged))

    def text(self, why: bool = False) -> str:
        """The trace in plain text; ``why`` tells of each rule that did not match."""
        from iptables_emu.trace.render import render

        return render(self, "text", why=why)

    def __str__(self) -> str:
        return self.text()
