"""A small nfnetlink client: requests with their answers, and messages of multicast groups.

Source of the numbers: linux/netlink.h, linux/netfilter/nfnetlink.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final, NamedTuple

NETLINK_NETFILTER: Final = 12
SOL_NETLINK: Final = 270
NETLINK_ADD_MEMBERSHIP: Final = 1
SO_RCVBUFFORCE: Final = 33
RECEIVE_BUFFER: Final = 64 << 20
READ_SIZE: Final = 1 << 18

NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_CREATE = 1, 4, 0x300, 0x400
NLA_F_NESTED: Final = 0x8000
NLA_TYPE_MASK: Final = 0x3FFF
BATCH_BEGIN, BATCH_END = 0x10, 0x11

Attributes = dict[int, bytes]


class Subsystem(IntEnum):
    """High byte of an nfnetlink message type."""

    CTNETLINK = 1
    QUEUE = 3
    ULOG = 4
    ACCT = 7
    NFTABLES = 10


class Message(NamedTuple):
    """One nfnetlink message: type (subsystem << 8 | command), address family, attributes in bytes."""

    type: int
    family: int
    body: bytes

    def attributes(self) -> Attributes:
        """The attributes by number."""
        return parse_attributes(self.body)


def attribute(number: int, payload: bytes) -> bytes:
    """One attribute in bytes, padded to a multiple of four."""
    return struct.pack("=HH", 4 + len(payload), number) + payload + b"\0" * (-len(payload) % 4)


def parse_attributes(data: bytes) -> Attributes:
    """A run of attributes as {number: payload}; of a number given twice the last counts."""
    found: Attributes = {}
    at = 0
    while at + 4 <= len(data):
        length, number = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found[number & NLA_TYPE_MASK] = data[at + 4 : at + length]
        at += (length + 3) & ~3
    return found


def number_of(payload: bytes) -> int:
    """An unsigned number in network order, of whatever size."""
    return int.from_bytes(payload, "big")


def text_of(payload: bytes) -> str:
    """A text that ends with NUL."""
    return payload.rstrip(b"\0").decode(errors="replace")


class Nfnetlink:
    """A netfilter netlink socket; it belongs to the namespace in which it was opened."""

    def __init__(self, groups: tuple[int, ...] = ()):
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        self._socket.bind((0, 0))
        for group in groups:
            self._socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
        # the kernel's own time limit of 5 s: Python's would make the socket non-blocking
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("=qq", 5, 0))
        self._sequence = 0

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def request(
        self, subsystem: Subsystem, command: int, body: bytes = b"", *, family: int = 0, flags: int = NLM_F_ACK,
        resource: int = 0,
    ) -> list[Message]:  # fmt: skip
        """Send one request and return its answers; OSError if the kernel refuses."""
        self.tell(subsystem, command, body, family=family, flags=flags, resource=resource)
        answers: list[Message] = []
        while True:
            for kind, payload in _split(self._socket.recv(READ_SIZE)):
                if kind == NLMSG_DONE:
                    return answers
                if kind == NLMSG_ERROR:
                    if code := _error_code(payload):
                        raise OSError(code, os.strerror(code))
                    return answers
                answers.append(_message(kind, payload))

    def tell(
        self, subsystem: Subsystem, command: int, body: bytes, *, family: int = 0, flags: int = 0, resource: int = 0
    ) -> None:
        """Send one message without waiting for an answer."""
        self._socket.send(self._pack(subsystem << 8 | command, flags, family, resource, body))

    def nftables_batch(self, command: int, family: int) -> None:
        """One nf_tables command without attributes, as a transaction; that there is nothing is no error."""
        begin = self._pack(BATCH_BEGIN, 0, 0, Subsystem.NFTABLES, b"")
        middle = self._pack(Subsystem.NFTABLES << 8 | command, NLM_F_ACK, family, 0, b"")
        self._socket.send(begin + middle + self._pack(BATCH_END, 0, 0, Subsystem.NFTABLES, b""))
        for kind, payload in _split(self._socket.recv(READ_SIZE)):
            if kind == NLMSG_ERROR and (code := _error_code(payload)) not in (0, errno.ENOENT):
                raise OSError(code, os.strerror(code))

    def drain(self) -> list[Message]:
        """All messages that are there now, without waiting."""
        found: list[Message] = []
        while True:
            try:
                data = self._socket.recv(READ_SIZE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return found
            found += [_message(kind, payload) for kind, payload in _split(data) if kind > NLMSG_DONE]

    def _pack(self, kind: int, flags: int, family: int, resource: int, body: bytes) -> bytes:
        self._sequence += 1
        payload = struct.pack("=BBH", family, 0, socket.htons(resource)) + body
        return struct.pack("=IHHII", 16 + len(payload), kind, flags | NLM_F_REQUEST, self._sequence, 0) + payload


def _split(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 16 <= len(data):
        length, kind = struct.unpack_from("=IH", data, at)
        if length < 16:
            return
        yield kind, data[at + 16 : at + length]
        at += (length + 3) & ~3


def _error_code(payload: bytes) -> int:
    (code,) = struct.unpack_from("=i", payload)
    return -int(code)


def _message(kind: int, payload: bytes) -> Message:
    return Message(kind, payload[0], payload[4:])
