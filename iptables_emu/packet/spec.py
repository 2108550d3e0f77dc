"""The packet language: what people type for a packet -> :class:`PacketSpec`.

Two spellings: iptables' own flags, or one sentence. What is not said takes documented values, which
``assumed`` lists: TCP, a SYN from port 40000 to port 80 (UDP: 53), an echo request, from 192.0.2.1 to
198.51.100.1 (IPv6: 2001:db8:1::1 to 2001:db8:2::1), the addresses of RFC 5737 and RFC 3849; over lo, loopback.
"""

from __future__ import annotations

import shlex
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from iptables_emu.model.address import family_of
from iptables_emu.packet.build import build
from iptables_emu.packet.icmp_names import ICMP_NAMES
from iptables_emu.packet.printable import printable
from iptables_emu.packet.spec_flags import read_flags
from iptables_emu.packet.spec_values import (
    CONVERT,
    FLAG_NAMES,
    Item,
    PacketError,
    endpoint,
    flag_letters,
    in_order,
    number,
)

__all__ = ["PacketError", "PacketSpec", "parse_packet"]

DEFAULT_ADDRESSES: Final = {4: ("192.0.2.1", "198.51.100.1"), 6: ("2001:db8:1::1", "2001:db8:2::1")}
LOOPBACK: Final = {4: "127.0.0.1", 6: "::1"}
DEFAULT_SPORT: Final = 40000
DEFAULT_DPORT: Final = {"tcp": 80, "udp": 53, "sctp": 80}
TCP_ONLY: Final = ("flags", "seq", "ack", "window")
EXAMPLE: Final = "as -i eth0 -p tcp -d 1.2.3.4 --dport 80, or in one sentence: tcp 10.0.0.5 > 1.2.3.4:80 in eth0"
HEADERS: Final = {"tcp": 20, "udp": 8, "icmp": 8, "icmpv6": 8}

Value = str | int | bool


@dataclass(frozen=True, slots=True)
class PacketSpec:
    """A packet to send in: ``packet`` in the words of :mod:`iptables_emu.packet.build`, and what goes with it.

    ``iif``, ``oif`` are "" when not said; ``mac`` is the source MAC address; ``local`` means made on this
    host. ``assumed`` tells each value that nobody gave, its key first: ``("sport 40000", ...)``.
    """

    packet: dict[str, Value]
    iif: str = ""
    oif: str = ""
    mark: int = 0
    mac: str = ""
    uid: int | None = None
    local: bool = False
    assumed: tuple[str, ...] = ()

    @property
    def family(self) -> int:
        return family_of(str(self.packet["src"]))

    def assumes(self, key: str) -> bool:
        """Whether the value of ``key`` (``src``, ``dst``, ``sport`` ...) was not given."""
        return any(text.partition(" ")[0] == key for text in self.assumed)

    def build(self) -> bytes:
        """The packet from the IP header on."""
        return build(self.packet)


def parse_packet(words: Sequence[str]) -> PacketSpec:
    """The packet that the words say: flags, or a sentence in one word or many. Raises PacketError."""
    words = [word for word in words if word.strip()] if len(words) < 2 else list(words)
    if not words:
        raise PacketError(f"no packet: say one, {EXAMPLE}", 1)
    text = " ".join(words)
    try:
        return _Draft(_read(words, text)).finish()
    except PacketError as problem:
        problem.text = text
        raise


def _read(words: Sequence[str], text: str) -> Iterable[Item]:
    if words[0].lstrip()[:1] not in ("-", "!") or words[0].lstrip()[:2] == "->":
        from iptables_emu.packet.spec_sentence import read_sentence

        return read_sentence(text)
    if len(words) == 1:
        try:
            words = shlex.split(text)
        except ValueError as problem:
            raise PacketError(f"{problem}: close the quote", len(text)) from None
    return read_flags(words)


@dataclass(slots=True)
class _Draft:
    """The packet as far as it is said; ``at`` keeps where, for messages."""

    items: Iterable[Item]
    values: dict[str, Value] = field(default_factory=dict)
    at: dict[str, Item] = field(default_factory=dict)
    letters: str = ""
    assumed: list[str] = field(default_factory=list)

    def finish(self) -> PacketSpec:
        for item in self.items:
            self._take(item)
        proto = self._proto()
        family = self._family(proto)
        packet: dict[str, Value] = dict(zip(("src", "dst"), self._addresses(family), strict=True))
        if proto in ("icmp", "icmpv6"):
            proto = "icmp" if family == 4 else "icmpv6"
        packet["proto"] = proto
        packet |= {key: self.values[key] for key in ("ttl", "tos", "id") if key in self.values}
        packet |= self._transport(proto, family)
        self._payload(packet, proto, family)
        return self._spec(packet)

    def _take(self, item: Item) -> None:
        key = item.key
        if key == "flag":
            self.letters += FLAG_NAMES[item.text.lower()]
            self.at.setdefault("flags", item)
            return
        if key in ("from", "to"):
            host, port = endpoint(item)
            side = "src" if key == "from" else "dst"
            for name, value in ((side, host), ("sport" if key == "from" else "dport", port)):
                if value is not None:
                    self._set(name, value, item)
        elif key == "flags":
            self._set("flags", flag_letters(item), item)
        elif key == "icmp":
            self._set("icmp", item.text.lower(), item)
        elif key in CONVERT:
            self._set(key, CONVERT[key](item), item)
        else:  # payload, local, family4, family6
            self._set(key, item.text, item)

    def _set(self, key: str, value: Value, item: Item) -> None:
        if key in self.values:
            what = self.at[key].said or key
            raise item.wrong(f"{item.said or key} is given twice (first: {printable(what)}): leave one out")
        self.values[key], self.at[key] = value, item

    def _proto(self) -> str | int:
        tcp = next((self.at[key] for key in TCP_ONLY if key in self.at), None)
        icmp = next((self.at[key] for key in ("icmp", "type", "code") if key in self.at), None)
        proto = self.values.get("proto")
        if proto is None:
            proto = "icmp" if icmp and not tcp else "tcp"
            if not icmp and not tcp:
                self.assumed.append("proto tcp")
        assert isinstance(proto, str | int)
        if tcp and proto != "tcp":
            raise tcp.wrong(f"{tcp.said} is for TCP, and the protocol is {proto}: leave one out")
        if icmp and proto not in ("icmp", "icmpv6"):
            raise icmp.wrong(f"{icmp.said} is for ICMP, and the protocol is {proto}: leave one out")
        for key in ("sport", "dport"):
            if key in self.at and proto not in DEFAULT_DPORT:
                raise self.at[key].wrong(f"a port needs tcp, udp or sctp, and the protocol is {proto}")
        return proto

    def _family(self, proto: str | int) -> int:
        """4 or 6: as said, as the addresses are spelt, else IPv4."""
        said: int | None = None
        for key, item in self.at.items():
            family = None
            if key in ("src", "dst"):
                family = family_of(str(self.values[key]))
            elif key in ("family4", "family6"):
                family = int(key[-1])
            elif key == "proto" and proto == "icmpv6":
                family = 6
            if family and said and family != said:
                raise item.wrong(f"{printable(item.text) or item.said} is IPv{family}, what stands before it IPv{said}")
            said = said or family
        return said or 4

    def _addresses(self, family: int) -> tuple[Value, Value]:
        """Source and destination; over lo it is between a host's own addresses."""
        src, dst = DEFAULT_ADDRESSES[family]
        if "lo" in (self.values.get("in"), self.values.get("out")):
            src = dst = str(self.values.get("dst", self.values.get("src", LOOPBACK[family])))
        elif str(self.values.get("dst")) == LOOPBACK[family] and "in" not in self.values:
            src = LOOPBACK[family]
        return self._default("src", src), self._default("dst", dst)

    def _default(self, key: str, value: Value) -> Value:
        if key not in self.values:
            self.assumed.append(f"{key} {value}")
        return self.values.get(key, value)

    def _transport(self, proto: str | int, family: int) -> dict[str, Value]:
        if proto in DEFAULT_DPORT:
            sport = self._default("sport", DEFAULT_SPORT)
            dport = self._default("dport", DEFAULT_DPORT[str(proto)])
            return {"sport": sport, "dport": dport} | (self._tcp() if proto == "tcp" else {})
        return self._icmp(family) if proto in ("icmp", "icmpv6") else {}

    def _tcp(self) -> dict[str, Value]:
        out: dict[str, Value] = {key: self.values[key] for key in ("seq", "ack", "window") if key in self.values}
        if "flags" in self.at:
            out["flags"] = in_order(self.letters + str(self.values.get("flags", "")))
        elif "ack" in self.values:
            out["flags"] = "A"
        else:
            out["flags"] = "S"
            self.assumed.append("flags S")
        return out

    def _icmp(self, family: int) -> dict[str, Value]:
        item = self.at.get("icmp")
        if item is None:
            kind = self._default("type", 8 if family == 4 else 128)
            return {"type": kind, "code": self.values.get("code", 0)}
        clash = next((self.at[key] for key in ("type", "code") if key in self.at), None)
        if clash:
            raise clash.wrong(f"{clash.said} repeats what {item.shown} says: leave one out")
        named = ICMP_NAMES[family].get(item.text.lower())
        if named:
            return {"type": named[0], "code": named[1]}
        kind_text, slash, code_text = item.text.partition("/")
        if not kind_text[:1].isdigit():
            raise item.wrong(f"{item.shown} is no ICMP type of IPv{family}: give a name, as echo-request, or TYPE/CODE")
        kind = number(0, 255)(Item("type", kind_text, item.column))
        code = number(0, 255)(Item("code", code_text, item.column + len(kind_text) + 1)) if slash else 0
        return {"type": kind, "code": code}

    def _payload(self, packet: dict[str, Value], proto: str | int, family: int) -> None:
        """The payload, padded with zeros to the length asked for."""
        body = str(self.values.get("payload", "")).encode("utf-8", "surrogateescape")
        headers = (20 if family == 4 else 40) + HEADERS.get(str(proto), 0)
        if proto == "sctp":
            body = _sctp(packet) + body
        least = headers + len(body)
        if "len" in self.values:
            wanted = int(self.values["len"])
            if wanted < least:
                raise self.at["len"].wrong(f"{wanted} is too short: headers and payload take {least} bytes")
            body += bytes(wanted - least)
        elif least > 0xFFFF:
            raise self.at["payload"].wrong("the payload is too long: a packet has at most 65535 bytes")
        if body:
            packet["payload_hex"] = body.hex()

    def _spec(self, packet: dict[str, Value]) -> PacketSpec:
        iif, oif = str(self.values.get("in", "")), str(self.values.get("out", ""))
        uid = self.values.get("uid")
        origin = self.at.get("local") or self.at.get("uid")
        if origin and iif:
            raise self.at["in"].wrong(f"{origin.said} means made on this host, not come in by {iif}: leave one out")
        return PacketSpec(
            packet, iif, oif, int(self.values.get("mark", 0)), str(self.values.get("mac", "")),
            None if uid is None else int(uid), origin is not None or bool(oif and not iif), tuple(self.assumed),
        )  # fmt: skip


def _sctp(packet: dict[str, Value]) -> bytes:
    """An SCTP packet with one INIT chunk, the first of an association."""
    ports = struct.pack("!HHI", packet["sport"], packet["dport"], 0)
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 1, 65535, 1, 1, 1)
    return ports + struct.pack("<I", _crc32c(ports + bytes(4) + chunk)) + chunk


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
