"""Packets that answer, refuse or continue others."""

from __future__ import annotations

import random
from typing import Any

from iptables_emu.model.address import show

NAMES = {6: "tcp", 17: "udp", 1: "icmp", 58: "icmpv6"}
ANSWERS = {8: 0, 13: 14, 15: 16, 17: 18, 128: 129, 0: 8, 129: 128}
TCP_NEXT = {
    "S": ("SA", "SA", "SA", "SA", "RA", "RA", "S", "A"),
    "SA": ("A", "A", "A", "PA", "R", "SA"),
    "A": ("A", "PA", "FA", "RA", "S"),
    "PA": ("A", "A", "PA", "FA", "R"),
    "FA": ("FA", "A", "A", "R"),
}


def parts(data: bytes) -> tuple[str, str, int, bytes]:
    """(source, destination, protocol, transport bytes) of a packet without extension headers."""
    if data[0] >> 4 == 4:
        head = (data[0] & 15) * 4
        return (
            show(int.from_bytes(data[12:16], "big"), 4),
            show(int.from_bytes(data[16:20], "big"), 4),
            data[9],
            data[head:],
        )
    return show(int.from_bytes(data[8:24], "big"), 6), show(int.from_bytes(data[24:40], "big"), 6), data[6], data[40:]


def reply_to(rng: random.Random, data: bytes) -> dict[str, Any]:
    """What the other side may say to a packet; {} when nothing."""
    src, dst, proto, body = parts(data)
    packet: dict[str, Any] = {"src": dst, "dst": src, "proto": NAMES.get(proto, proto)}
    if proto in (6, 17) and len(body) >= 8:
        packet["sport"], packet["dport"] = int.from_bytes(body[2:4], "big"), int.from_bytes(body[:2], "big")
    if proto == 6 and len(body) >= 20:
        return packet | _segment(rng, body)
    if proto == 17 and len(body) >= 8:
        return packet | {"payload": "answer"}
    if proto in (1, 58) and len(body) >= 8:
        answer = ANSWERS.get(body[0])
        if answer is None:
            return {}
        payload = body[8:].hex()
        return (
            packet
            | {
                "type": answer,
                "code": 0,
                "ident": int.from_bytes(body[4:6], "big"),
                "icmp_seq": int.from_bytes(body[6:8], "big"),
            }
            | ({"payload_hex": payload} if payload else {})
        )
    return packet | {"payload": "back"} if proto not in (6, 17, 1, 58) else {}


def _segment(rng: random.Random, body: bytes) -> dict[str, Any]:
    flags = "".join(letter for at, letter in enumerate("FSRPAU") if body[13] >> at & 1)
    told = flags.replace("P", "") if flags not in TCP_NEXT else flags
    said = rng.choice(TCP_NEXT.get(told, ("A", "R", "SA")))
    size = len(body) - (body[12] >> 4) * 4 + ("S" in flags) + ("F" in flags)
    seq, ack = int.from_bytes(body[4:8], "big"), int.from_bytes(body[8:12], "big")
    out: dict[str, Any] = {"flags": said, "seq": ack if "A" in flags and ack else 5000}
    if "A" in said:
        out["ack"] = (seq + size) & 0xFFFFFFFF
    if rng.random() < 0.12:
        out["seq"] = (out["seq"] + rng.choice((1, 100, 70000, -1, -100, 1 << 31))) & 0xFFFFFFFF
    if rng.random() < 0.08 and "A" in said:
        out["ack"] = (out["ack"] + rng.choice((1, 1000, -1, -70000))) & 0xFFFFFFFF
    if rng.random() < 0.15:
        out["window"] = rng.choice((0, 1, 100, 1000))
    if "S" in said and rng.random() < 0.4:
        out["tcp_options_hex"] = rng.choice(
            ("020405b4", "020405b401030307", "020405b40402080a000000010000000001030307")
        )
    if said == "PA":
        out["payload"] = "data"
    return out


def error_about(rng: random.Random, data: bytes, hop: str) -> dict[str, Any]:
    """An ICMP error from its destination or a router about a packet."""
    src, dst, proto, body = parts(data)
    if proto in (1, 58) and (not body or body[0] in (3, 4, 5, 11, 12, 1, 2)):
        return {}
    origin = dst if rng.random() < 0.6 else hop
    quote = data[: rng.choice((28, 48, 60, 1000))] if data[0] >> 4 == 4 else data[: rng.choice((60, 80, 1000))]
    if data[0] >> 4 == 4:
        kind, code = rng.choice(((3, 3), (3, 1), (3, 4), (11, 0), (5, 1), (12, 0), (4, 0)))
    else:
        kind, code = rng.choice(((1, 4), (1, 0), (2, 0), (3, 0), (4, 1)))
    return {
        "src": origin,
        "dst": src,
        "proto": "icmp" if data[0] >> 4 == 4 else "icmpv6",
        "type": kind,
        "code": code,
        "ident": 0,
        "icmp_seq": 1400 if (kind, code) in ((3, 4), (2, 0)) else 0,
        "payload_hex": quote.hex(),
    }


def next_of(rng: random.Random, packet: dict[str, Any]) -> dict[str, Any]:
    """The same sender goes on: the same again, or a TCP segment further."""
    packet = dict(packet)
    if packet.get("proto", "tcp") == "tcp" and "flags" in packet and rng.random() < 0.8:
        packet["flags"] = rng.choice(("A", "A", "PA", "FA", "R", "S", "RA"))
        packet.pop("tcp_options_hex", None)
        packet["seq"] = packet.get("seq", 1000) + rng.choice((1, 1, 1, 0, 100, 100000))
        if "A" in packet["flags"]:
            packet["ack"] = rng.choice((5001, 5001, 5001, 5002, 5005, 70000))
    if "dport" in packet and rng.random() < 0.15:
        packet["dport"] = packet["dport"] % 65535 + 1
    if "." in packet["dst"]:
        packet["id"] = packet.get("id", 1) + 300
    return packet
