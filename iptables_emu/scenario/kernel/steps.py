"""What each kind of step does to the host or its links."""

from __future__ import annotations

import shlex
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, Final

from iptables_emu.packet.build import ETHERTYPE_IPV4, build, ethernet
from iptables_emu.scenario.kernel.conntrack import ConntrackTable
from iptables_emu.scenario.kernel.process import KernelError, as_user, run_command
from iptables_emu.scenario.kernel.testbed import Testbed, write_sysctl
from iptables_emu.scenario.kernel.wire import Wire

SO_MARK: Final = 36
IPV6_HDRINCL: Final = 36
IP_TRANSPARENT: Final = 19
IPV6_TRANSPARENT: Final = 75
FRAGMENT6, EXTENSIONS6 = b"\x2c", (b"\0", b"\x2b", b"\x3c", b"\x33")
CLEANUP_SECONDS: Final = 0.05

Step = dict[str, Any]


class Steps:
    """Carries out the steps of scenarios.

    ``note`` is what a socket call or command had to say about the last step.  ``spoilt`` is set by steps that
    leave something behind, so that the namespaces are not fit for another scenario.
    """

    def __init__(self, bed: Testbed, wire: Wire, conntrack: ConntrackTable, backend: str):
        self._bed, self._wire, self._conntrack, self._backend = bed, wire, conntrack, backend
        self._sockets: list[socket.socket] = []
        self.note = ""
        self.spoilt = False
        self._kinds: dict[str, Callable[[Any], None]] = {
            "inject": self._inject,
            "send_local": self._send_local,
            "connect": self._connect,
            "listen": self._listen,
            "sleep": time.sleep,
            "sysctl": self._sysctl,
            "ip": self._ip,
            "ip_addr_change": self._change_address,
            "iptables": self._iptables,
            "conntrack": self._change_connections,
            "flush": self._flush,
        }

    def do(self, step: Step) -> None:
        """Carry out one step."""
        self.note = ""
        ((kind, value),) = step.items()
        if kind not in self._kinds:
            raise KernelError(f"unknown step {kind!r}")
        self._kinds[kind](value)

    def close_sockets(self) -> None:
        """Close what listen and connect opened."""
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()

    def _inject(self, value: Step | list[Step]) -> None:
        for one in value if isinstance(value, list) else [value]:
            frame = self._frame(one)
            # a fragment waits for the others, and a path MTU is believed, longer than the scenario lasts
            self.spoilt |= _is_fragment(frame) or _teaches(frame)
            self._wire.send(one["iface"], frame)

    def _frame(self, step: Step) -> bytes:
        if "frame_hex" in step:
            return bytes.fromhex(step["frame_hex"])
        near = bytes.fromhex(step["dst_mac"].replace(":", "")) if "dst_mac" in step else self._bed.mac(step["iface"])
        return ethernet(_packet(step), near, self._bed.far_mac(step["iface"]))

    def _send_local(self, step: Step) -> None:
        packet = _packet(step)
        ipv6 = packet[0] >> 4 == 6
        family = socket.AF_INET6 if ipv6 else socket.AF_INET
        with self._open(family, socket.SOCK_RAW, socket.IPPROTO_RAW, step) as sock:
            if ipv6:
                sock.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
            destination = socket.inet_ntop(family, packet[24:40] if ipv6 else packet[16:20])
            try:
                sock.sendto(packet, (destination, 0))
            except OSError as error:
                self.note = f"send: {error.strerror}"

    def _connect(self, step: Step) -> None:
        tcp = step["proto"] == "tcp"
        family = socket.AF_INET6 if ":" in step["dst"] else socket.AF_INET
        sock = self._open(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM, 0, step)
        self._sockets.append(sock)
        self.spoilt = True
        sock.setblocking(False)
        sock.bind((step.get("src", ""), step.get("sport", 0)))
        try:
            sock.connect((step["dst"], step["dport"]))
            if not tcp:
                sock.send(step.get("payload", "").encode())
        except BlockingIOError:
            pass
        except OSError as error:
            self.note = f"connect: {error.strerror}"

    def _listen(self, step: Step) -> None:
        tcp = step["proto"] == "tcp"
        address = step.get("address", "0.0.0.0")
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = self._open(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM, 0, step)
        self._sockets.append(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if step.get("transparent"):
            six = family == socket.AF_INET6
            sock.setsockopt(*((socket.IPPROTO_IPV6, IPV6_TRANSPARENT) if six else (socket.SOL_IP, IP_TRANSPARENT)), 1)
        sock.bind((address, step["port"]))
        if tcp:
            sock.listen()
            self.spoilt = True

    def _open(self, family: int, kind: int, proto: int, step: Step) -> socket.socket:
        """A socket of the host that belongs to the step's uid and gid, and carries its mark."""
        with self._bed.host.entered(), as_user(step.get("uid", 0), step.get("gid", 0)):
            sock = socket.socket(family, kind, proto)
        if step.get("mark"):
            sock.setsockopt(socket.SOL_SOCKET, SO_MARK, struct.pack("=I", step["mark"]))
        return sock

    def _sysctl(self, values: dict[str, object]) -> None:
        self.spoilt = True
        with self._bed.host.entered():
            for name, value in values.items():
                write_sysctl(name, value)

    def _ip(self, arguments: str) -> None:
        self.spoilt = True
        with self._bed.host.entered():
            run_command(["ip", *shlex.split(arguments)])
        time.sleep(CLEANUP_SECONDS)  # conntrack forgets connections of an address later, from a worker

    def _change_address(self, step: Step) -> None:
        self._ip(f"addr {step['op']} {step['address']} dev {step['dev']}")

    def _iptables(self, arguments: str) -> None:
        self.spoilt |= self._backend == "legacy"
        with self._bed.host.entered():
            self.note = run_command([f"iptables-{self._backend}", *shlex.split(arguments)], check=False).stderr.strip()

    def _change_connections(self, arguments: str) -> None:
        with self._bed.host.entered():
            self.note = run_command(["conntrack", *shlex.split(arguments)], check=False).stderr.strip()

    def _flush(self, _what: str) -> None:
        self._conntrack.flush()


def _is_fragment(frame: bytes) -> bool:
    """Whether it may be one; of IPv6 any frame that names the fragment header's number in its first headers."""
    if frame[12:14] == ETHERTYPE_IPV4:
        return len(frame) > 21 and bool(struct.unpack_from("!H", frame, 20)[0] & 0x3FFF)
    return frame[20:21] == FRAGMENT6 or (frame[20:21] in EXTENSIONS6 and FRAGMENT6 in frame[54:])


def _teaches(frame: bytes) -> bool:
    """Whether it may be an ICMP error that tells of a path MTU or of another gateway."""
    if len(frame) < 34:
        return False
    if frame[12:14] == ETHERTYPE_IPV4:
        at = 14 + (frame[14] & 15) * 4
        return frame[23:24] == b"\x01" and (frame[at : at + 2] == b"\3\4" or frame[at : at + 1] == b"\5")
    return frame[20:21] in EXTENSIONS6 or (frame[20:21] == b"\x3a" and frame[54:55] in (b"\2", b"\x89"))


def _packet(step: Step) -> bytes:
    return bytes.fromhex(step["packet_hex"]) if "packet_hex" in step else build(step["packet"])
