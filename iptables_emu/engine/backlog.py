"""What comes back to the host by its own links, and when it comes in (kernel: netif_rx, __local_bh_enable_ip)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from iptables_emu.trace.events import Noted

if TYPE_CHECKING:
    from iptables_emu.engine.decision import Decision
    from iptables_emu.engine.path import Path
    from iptables_emu.packet.packet import Packet

MOST_PACKETS = 200  # that one may lead to: copies over lo double each round until their TTL runs out


class Backlog:
    """Packets that wait: where a frame that came in is being handled, until all else is done; in a socket's call only
    while something holds them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: deque[tuple[Packet, int | None, Decision]] = deque()
        self._holders = 1  # none only within a call

    def put(self, pkt: Packet, number: int | None, decision: Decision) -> None:
        """``number``: of the packet that this one is, where it can be known again."""
        self._waiting.append((pkt, number, decision))
        self._let_in()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing comes in meanwhile, but at once behind it where nothing else holds it (local_bh_disable)."""
        self._holders += 1
        yield
        self._holders -= 1
        self._let_in()

    @contextmanager
    def call(self) -> Iterator[None]:
        """A socket's call is carried out."""
        self._holders -= 1
        yield
        self._holders += 1

    def _let_in(self) -> None:
        if not self._holders:
            self._holders += 1
            self.drain()
            self._holders -= 1

    def drain(self) -> None:
        """Let in all that waits, and what that leads to."""
        path, machine = self._path, self._path.machine
        last = machine.numbers + MOST_PACKETS
        while self._waiting:
            pkt, number, decision = self._waiting.popleft()
            if machine.numbers > last:
                self._waiting.clear()
                told = f"{MOST_PACKETS} packets came of this one: it goes on, the trace does not"
                machine.emit(Noted(number or pkt.number, told))
                return
            path.input(pkt, number, decision)
