"""Frames between the two namespaces, and fences, which tell when the kernel has done its work.

A veth hands frames to the queue of the CPU that sends.  While this thread stays on one CPU (`pinned_to_cpu`),
a fence frame therefore comes back only after all that was sent before was worked on, and no step has to wait a
fixed time.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from typing import Any, Final

from iptables_emu.scenario.kernel.netlink import RECEIVE_BUFFER, SO_RCVBUFFORCE
from iptables_emu.scenario.kernel.process import KernelError
from iptables_emu.scenario.kernel.testbed import FENCE_LINK, Testbed

ETH_P_ALL, ETH_P_FENCE = 0x0003, 0x88B5  # the second is for local experiments (IEEE 802)
SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
PATIENCE: Final = 5.0

Frame = tuple[str, bytes]
"""The interface it came by, and its bytes."""


class Wire:
    """The far ends of all links, and both ends of the fence link."""

    def __init__(self, bed: Testbed):
        self._bed = bed
        self._fences = 0
        with bed.host.entered():
            self._inside = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_FENCE))
        with bed.far.entered():
            self._outside = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._outside.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self._outside.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        self._await_links()

    def close(self) -> None:
        """Close the sockets."""
        self._inside.close()
        self._outside.close()

    def send(self, interface: str, frame: bytes) -> None:
        """Put a frame on the far end of a link."""
        self._outside.sendto(frame, (interface, ETH_P_ALL))

    def fence(self) -> list[Frame]:
        """Send one fence into the host and one out of it; the frames the host sent before they came back."""
        self._fences += 1
        mark = struct.pack("!H", ETH_P_FENCE) + b"%08d" % self._fences + bytes(36)
        self._outside.sendto(self._bed.mac(FENCE_LINK) + bytes(6) + mark, (FENCE_LINK, ETH_P_FENCE))
        while _receive(self._inside)[1][12:] != mark:
            pass
        self._inside.sendto(self._bed.far_mac(FENCE_LINK) + bytes(6) + mark, (FENCE_LINK, ETH_P_FENCE))
        frames: list[Frame] = []
        while True:
            interface, frame = _receive(self._outside)
            if interface != FENCE_LINK:
                frames.append((interface, frame))
            elif frame[12:] == mark:
                return frames

    def _await_links(self) -> None:
        """Wait until each link works both ways: the kernel activates links later, from a worker."""
        frame = bytes(12) + struct.pack("!H", ETH_P_FENCE) + bytes(46)
        down = {name for name, config in self._bed.interfaces.items() if config.get("down")}
        links = [n for n in (*self._bed.links(), FENCE_LINK) if n not in down and self._bed.has_carrier(n)]
        missing = {(receiver, name) for receiver in (self._inside, self._outside) for name in links}
        deadline = time.monotonic() + PATIENCE
        while missing:
            if time.monotonic() > deadline:
                raise KernelError(f"links stay down: {', '.join(sorted({name for _, name in missing}))}")
            for receiver, name in missing:
                sender = self._inside if receiver is self._outside else self._outside
                with contextlib.suppress(OSError):  # not up yet
                    sender.sendto(frame, (name, ETH_P_FENCE))
            time.sleep(0.0005)
            for receiver in (self._inside, self._outside):
                while select.select([receiver], [], [], 0)[0]:
                    missing.discard((receiver, _receive(receiver)[0]))


def _receive(sock: socket.socket) -> Frame:
    address: Any
    try:
        data, address = sock.recvfrom(65536, socket.MSG_DONTWAIT)
    except BlockingIOError:
        if not select.select([sock], [], [], PATIENCE)[0]:
            raise KernelError("a fence frame was lost") from None
        data, address = sock.recvfrom(65536)
    return str(address[0]), data
