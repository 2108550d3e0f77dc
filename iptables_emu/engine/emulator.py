"""The emulator as a library: a ruleset, a host, and packets to send through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.compile.program import Program
from iptables_emu.engine.machine import Machine
from iptables_emu.engine.path import Path

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptables_emu.host.host import Host
    from iptables_emu.model.rule import Rule
    from iptables_emu.model.ruleset import Ruleset
    from iptables_emu.packet.packet import Packet
    from iptables_emu.trace.events import Event


class Engine:
    """Ruleset and host put together; every call returns the events it caused."""

    def __init__(
        self, ruleset: Ruleset, host: Host, write: Callable[[str, Rule], str], *, seed: int = 0, now: int = 0,
        explain: bool = False,
    ) -> None:  # fmt: skip
        self.machine = Machine(Program(ruleset), host, write, seed=seed, now=now)
        self.machine.explain = explain
        self.path = Path(self.machine)
        self.note = ""
        self.next_mark = 0  # of the next packet from the wire (what a driver or tc would have set)

    def _take(self) -> list[Event]:
        events = list(self.machine.events)
        self.machine.events.clear()
        return events

    def receive(self, iface: str, frame: bytes) -> list[Event]:
        """A frame on an interface's wire."""
        self.path.receive(iface, frame, self.next_mark)
        self.next_mark = 0
        return self._take()

    def send_local(self, pkt: Packet) -> list[Event]:
        """A packet from a socket of the host; ``note`` holds the error of the call."""
        pkt.socket = True
        self.note = self.path.send_local(pkt, bound=True)
        return self._take()
