"""Packets that lie: cut off, bent, in pieces."""

from __future__ import annotations

import random
from typing import Any

from iptables_emu.packet.checksum import internet_checksum


def mangled(rng: random.Random, data: bytes) -> bytes:
    """A packet cut short (its length told truly or not), or with a changed byte."""
    six = data[0] >> 4 == 6
    head = 40 if six else (data[0] & 15) * 4
    roll = rng.random()
    if roll < 0.5 and len(data) > head + 1:
        out = bytearray(data[: rng.randint(head, len(data) - 1)])
        if rng.random() < 0.85:
            at, size = (4, len(out) - 40) if six else (2, len(out))
            out[at : at + 2] = size.to_bytes(2, "big")
    elif roll < 0.6:
        return data + rng.randbytes(rng.randint(1, 8))  # a trailer
    else:
        out = bytearray(data)
        out[rng.randrange(head if rng.random() < 0.6 and len(out) > head else 1, len(out))] = rng.randrange(256)
    if not six and rng.random() < 0.95:
        size = max(20, min(len(out), (out[0] & 15) * 4))
        out[10:12] = b"\0\0"
        out[10:12] = internet_checksum(bytes(out[:size])).to_bytes(2, "big")
    return bytes(out)


def fragments(rng: random.Random, packet: dict[str, Any]) -> list[dict[str, Any]]:
    """An IPv4 packet in pieces, now and then one lost, twice, or out of order."""
    whole = {key: value for key, value in packet.items() if key not in ("df", "ip_options_hex")}
    if len(str(whole.get("payload", ""))) < 24 and "inner" not in whole and "payload_hex" not in whole:
        whole["payload"] = "z" * rng.choice((24, 33, 40))
    size = rng.choice((8, 16, 24))
    pieces = [{**whole, "slice": [0, size], "mf": True}, {**whole, "slice": [size, None]}]
    if rng.random() < 0.3:
        pieces = [pieces[0], {**whole, "slice": [size, 8], "mf": True}, {**whole, "slice": [size + 8, None]}]
    roll = rng.random()
    if roll < 0.2:
        rng.shuffle(pieces)
    elif roll < 0.3:
        pieces.pop(rng.randrange(len(pieces)))
    elif roll < 0.35:
        pieces.insert(1, pieces[0])
    return pieces


def with_extension_header(rng: random.Random, data: bytes) -> bytes:
    """An IPv6 packet with one more header before its transport header."""
    kind = rng.choice((0, 60, 43, 44, 51))
    body = {
        0: b"\0\x01\x04\0\0\0\0",
        60: b"\0\x01\x04\0\0\0\0",
        43: b"\0\0\0\0\0\0\0",
        44: b"\0\0\0\0\0\0\x05",
        51: b"\x02\0\0\0\0\x01\0\0\0\x01\0",
    }[kind]
    header = bytes((data[6],)) + body
    header += bytes(-len(header) % 4)
    return (
        data[:4] + (len(data) - 40 + len(header)).to_bytes(2, "big") + bytes((kind,)) + data[7:40] + header + data[40:]
    )
