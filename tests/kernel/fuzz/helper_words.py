"""What clients and servers of the other helpers' protocols say."""

from __future__ import annotations

import random

from iptables_emu.model.address import parse_plain

PPTP_SIZES = {
    1: 144,
    2: 144,
    3: 4,
    4: 4,
    5: 4,
    6: 8,
    7: 156,
    8: 20,
    9: 208,
    10: 12,
    11: 16,
    12: 4,
    13: 136,
    14: 28,
    15: 12,
}
PPTP_FLOW = ((0, 1), (1, 2), (0, 7), (1, 8), (0, 15), (1, 15), (0, 12), (1, 13), (0, 3), (1, 4))
PPTP_IN = ((0, 1), (1, 2), (1, 9), (0, 10), (1, 11), (1, 14), (1, 13), (0, 5), (1, 6))


class PptpWords:
    """Control messages in their order, and out of it."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.flow = list(rng.choice((PPTP_FLOW, PPTP_FLOW, PPTP_IN)))
        self.told = [rng.choice((1, 77, 0, 40000)), rng.choice((2, 88, 77))]  # call ids of client and server
        self.heard = list(self.told)

    def next(self) -> tuple[int, bytes]:
        """(whose turn, message)."""
        rng = self.rng
        if self.flow and rng.random() < 0.85:
            turn, kind = self.flow.pop(0)
        else:
            turn, kind = rng.randrange(2), rng.choice((*PPTP_SIZES, 0, 16, 99))
        return turn, self.message(turn, kind)

    def message(self, turn: int, kind: int) -> bytes:
        rng = self.rng
        body = bytearray(PPTP_SIZES.get(kind, 8))
        mine, peers = self.told[turn], self.heard[1 - turn]
        if rng.random() < 0.05:
            peers = rng.choice((0, 5, mine))
        good = rng.choice((1, 1, 1, 1, 1, 1, 2))
        if kind in (7, 9, 12, 13):
            body[0:2] = mine.to_bytes(2, "big")
        elif kind in (8, 10):
            body[0:5] = mine.to_bytes(2, "big") + peers.to_bytes(2, "big") + bytes([good])
        elif kind in (11, 14, 15):
            body[0:2] = peers.to_bytes(2, "big")
        elif kind == 2:
            body[2] = good
        elif kind == 4:
            body[0] = good
        head = (12 + len(body)).to_bytes(2, "big") + rng.choice((b"\0\1",) * 30 + (b"\0\2",)) + b"\x1a\x2b\x3c\x4d"
        data = head + kind.to_bytes(2, "big") + b"\0\0" + body
        if rng.random() < 0.04:
            data = data[: rng.randrange(len(data))]
        return data + (b"more" if rng.random() < 0.03 else b"")

    def heard_from(self, turn: int, data: bytes) -> None:
        """The peer takes the call id that arrives, which may be another than was sent."""
        if len(data) >= 14 and data[8:10] in (b"\0\x07", b"\0\x08", b"\0\x09", b"\0\x0a"):
            self.heard[turn] = int.from_bytes(data[12:14], "big")


def ftp(rng: random.Random, turn: int, address: str, peer: str) -> bytes:
    """A line of FTP's control connection."""
    port = rng.choice((5000, 5000, 5001, 40000, 80, 0))
    if ":" in address:
        words = {0: (f"EPRT |2|{address}|{port}|", "EPSV", "USER x"), 1: (f"229 Extended (|||{port}|)", "200 ok")}
    else:
        told = rng.choice((address,) * 8 + (peer, "0.0.0.0", "300.1.1.1"))
        six = ",".join(told.split(".")) + f",{port >> 8},{port & 255}"
        words = {
            0: (f"PORT {six}", f"EPRT |1|{told}|{port}|", f"port {six}", "PASV", "USER x", f"EPRT ,1,{told},{port},"),
            1: (f"227 Entering Passive Mode ({six})", f"227 x {six}", f"229 Extended (|||{port}|)", "200 ok"),
        }  # fmt: skip
    line = rng.choice(words[turn]) + rng.choice(("\r\n",) * 9 + ("\n", "", " \r\n"))
    return line.encode()


def irc(rng: random.Random, turn: int, address: str, peer: str) -> bytes:
    """A line of IRC, with DCC or without."""
    told = parse_plain(rng.choice((address,) * 6 + (peer, "1.2.3.4")), 4) or 0
    port = rng.choice((5000, 5000, 5001, 0, 70000))
    word = rng.choice(("SEND file", "CHAT chat", "MOVE x", "TSEND f", "SCHAT chat", "RESUME f", "SEND"))
    end = rng.choice(("\1\r\n",) * 6 + ("\1", "\n", " 1234\1\r\n"))
    start = rng.choice(("PRIVMSG x :", "PRIVMSG x :", "PRIVMSG x :", "  privmsg y :", "NOTICE x :", ":me PRIVMSG x :"))
    return f"{start}\1DCC {word} {told}{rng.choice((' ', ' ', '  '))}{port}{end}".encode()


def tftp(rng: random.Random, turn: int, address: str, peer: str) -> bytes:
    return rng.choice(
        (b"\0\1file\0octet\0", b"\0\2file\0octet\0", b"\0\3\0\1data", b"\0\4\0\1", b"\0", b"\0\5\0\1no\0")
    )


def amanda(rng: random.Random, turn: int, address: str, peer: str) -> bytes:
    """A client's question or the server's streams."""
    if not turn:
        return b"Amanda 2.4 REQ HANDLE 000-00000000 SEQ 1\nSERVICE noop\n"
    ports = [rng.choice((50000, 50001, 50002, 1, 0, 99999)) for _ in range(4)]
    names = rng.choice((("DATA", "MESG", "INDEX"), ("DATA", "MESG", "INDEX", "STATE"), ("MESG", "DATA"), ("DATAX",)))
    line = " ".join(f"{name} {port}" for name, port in zip(names, ports, strict=False))
    word, end = rng.choice(("CONNECT ", "CONNECT ", "CONNECT", "connect ")), rng.choice(("\n", "\n", ""))
    return f"Amanda 2.4 REP\n{word}{line}{end}".encode()


def sane(rng: random.Random, turn: int, address: str, peer: str) -> bytes:
    """A request or a reply."""
    if not turn:
        return rng.choice((7, 7, 7, 7, 6, 1)).to_bytes(4, "big") + rng.choice((b"\0\0\0\0",) * 6 + (b"", b"\0" * 8))
    port = rng.choice((5000, 5001, 6566, 0)).to_bytes(2, "big")
    good = rng.choice((b"\0\0\0\0",) * 8 + (b"\0\0\0\1",)) + rng.choice((b"\0\0",) * 8 + (b"\0\1",)) + port
    return good + rng.choice((b"\0\0\0\0" * 3, b"", b"x"))


def _element(tag: int, data: bytes) -> bytes:
    return bytes([tag, len(data)]) + data if len(data) < 128 else bytes([tag, 0x81, len(data)]) + data


def snmp(rng: random.Random, turn: int, address: str, peer: str) -> bytes:
    """A question, an answer or a trap with some variables, addresses among them."""
    variables = b""
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        told = rng.choice((address, address, peer, "10.8.0.11", "192.168.5.3", "1.2.3.4"))
        value = rng.choice(
            (
                _element(0x40, bytes(map(int, told.split(".")))),
                _element(0x40, bytes(map(int, told.split(".")))),
                _element(0x02, b"\5"),
                _element(0x04, rng.choice((b"", b"x", b"xyz"))),
                _element(0x05, b""),
                _element(rng.choice((0x41, 0x42, 0x43, 0x44, 0x46, 0x80, 0x81, 0x82, 0x45, 0x83)), b"\1\2"),
                b"",
                _element(0x40, b"abc"),
            )
        )
        variables += _element(0x30, _element(0x06, b"\x2b\6\1") + value)
    kind = rng.choice((0xA0, 0xA1, 0xA2, 0xA2, 0xA3, 0xA5, 0xA6, 0xA7, 0xA7, 0xA8, 0xA4))
    numbers = _element(2, b"\1") + _element(2, b"\0") + _element(2, b"\0")
    request = _element(kind, numbers + _element(0x30, variables)) if rng.random() < 0.95 else b""
    version = rng.choice((0, 1, 1, 1, 1, 1, 3))
    data = bytearray(_element(0x30, _element(2, bytes([version])) + _element(4, b"public") + request))
    if rng.random() < 0.1:
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0x80, 0x82, 0x30, 0x1F, 0xFF))
    if rng.random() < 0.1:
        data = data[: rng.randrange(len(data))] if rng.random() < 0.5 else data + b"more"
    return bytes(data)
