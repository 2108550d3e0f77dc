"""Packets from dicts, and packets in a line: bytes and texts written down once."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from iptables_emu.packet.build import build, ethernet
from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.describe import describe, describe_frame

# name, packet, its bytes in hex, its line
CASES: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "syn",
        {"src": "10.0.0.1", "dst": "10.0.0.2", "sport": 1000, "dport": 80},
        "4500002800010000400666cd0a0000010a00000203e80050000003e8000000005002ffff93c00000",
        "10.0.0.1:1000 > 10.0.0.2:80 tcp S seq 1000 ttl 64 id 1",
    ),
    (
        "segment",
        {
            "src": "10.0.0.1",
            "dst": "10.0.0.2",
            "proto": "tcp",
            "sport": 1000,
            "dport": 80,
            "flags": "PA",
            "seq": 7,
            "ack": 9,
            "window": 100,
            "tcp_options_hex": "01010101",
            "payload": "hi",
            "df": True,
            "tos": 16,
            "id": 258,
        },
        "4510002e01024000400625b60a0000010a00000203e800500000000700000009601800641cad0000010101016869",
        "10.0.0.1:1000 > 10.0.0.2:80 tcp PA seq 7 ttl 64 id 258 DF tos 0x10",
    ),
    (
        "no flags",
        {"src": "10.0.0.1", "dst": "10.0.0.2", "proto": 6, "sport": 0, "dport": 65535, "flags": "", "ttl": 1},
        "45000028000100000106a5cd0a0000010a0000020000ffff000003e8000000005000ffff97fa0000",
        "10.0.0.1:0 > 10.0.0.2:65535 tcp - seq 1000 ttl 1 id 1",
    ),
    (
        "datagram",
        {"src": "10.0.0.1", "dst": "10.0.0.2", "proto": "udp", "sport": 53, "dport": 4000, "payload": "abc"},
        "4500001f00010000401166cb0a0000010a00000200350fa0000b179e616263",
        "10.0.0.1:53 > 10.0.0.2:4000 udp ttl 64 id 1",
    ),
    (
        "bad checksum",
        {
            "src": "10.0.0.1",
            "dst": "10.0.0.2",
            "proto": "udp",
            "sport": 53,
            "dport": 4000,
            "payload": "abc",
            "bad_checksum": True,
        },
        "4500001f00010000401166cb0a0000010a00000200350fa0000b42cb616263",
        "10.0.0.1:53 > 10.0.0.2:4000 udp ttl 64 id 1",
    ),
    (
        "echo",
        {"src": "10.0.0.1", "dst": "10.0.0.2", "proto": "icmp", "ident": 5, "icmp_seq": 6, "payload_hex": "0102"},
        "4500001e00010000400166dc0a0000010a0000020800f6f2000500060102",
        "10.0.0.1 > 10.0.0.2 icmp type 8 code 0 ttl 64 id 1",
    ),
    (
        "too big",
        {
            "src": "10.0.0.1",
            "dst": "10.0.0.2",
            "proto": "icmp",
            "type": 3,
            "code": 4,
            "mtu": 1400,
            "inner": {"src": "10.0.0.2", "dst": "10.0.0.1", "proto": "udp", "sport": 1, "dport": 2},
        },
        "4500003800010000400166c20a0000010a00000203040ba0000005784500001c00010000401166ce0a0000020a000001000100020008ebd8",
        "10.0.0.1 > 10.0.0.2 icmp type 3 code 4 ttl 64 id 1 [10.0.0.2:1 > 10.0.0.1:2 udp ttl 64 id 1]",
    ),
    (
        "first fragment",
        {
            "src": "10.0.0.1",
            "dst": "10.0.0.2",
            "proto": "udp",
            "sport": 53,
            "dport": 4000,
            "payload": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "slice": [0, 24],
            "mf": True,
        },
        "4500002c00012000401146be0a0000010a00000200350fa00028c5b061616161616161616161616161616161",
        "10.0.0.1:53 > 10.0.0.2:4000 udp ttl 64 id 1 frag 0+",
    ),
    (
        "last fragment",
        {
            "src": "10.0.0.1",
            "dst": "10.0.0.2",
            "proto": "udp",
            "sport": 53,
            "dport": 4000,
            "payload": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "slice": [24, None],
        },
        "4500002400010003401166c30a0000010a00000261616161616161616161616161616161",
        "10.0.0.1 > 10.0.0.2 proto 17 ttl 64 id 1 frag 24",
    ),
    (
        "options",
        {
            "src": "10.0.0.1",
            "dst": "10.0.0.2",
            "proto": "udp",
            "sport": 53,
            "dport": 4000,
            "ip_options_hex": "94040000",
        },
        "46000020000100004011d1c50a0000010a0000029404000000350fa00008dc06",
        "10.0.0.1:53 > 10.0.0.2:4000 udp ttl 64 id 1",
    ),
    (
        "other protocol",
        {"src": "10.0.0.1", "dst": "10.0.0.2", "proto": 99, "payload": "xyz"},
        "4500001700010000406366810a0000010a00000278797a",
        "10.0.0.1 > 10.0.0.2 proto 99 ttl 64 id 1",
    ),
    (
        "syn6",
        {"src": "2001:db8::1", "dst": "2001:db8::2", "sport": 1000, "dport": 80, "tos": 3},
        "603000000014064020010db800000000000000000000000120010db800000000000000000000000203e80050000003e8000000005002ffff4c4e0000",
        "2001:db8::1:1000 > 2001:db8::2:80 tcp S seq 1000 hl 64",
    ),
    (
        "udp6",
        {
            "src": "2001:db8::1",
            "dst": "2001:db8::2",
            "proto": "udp",
            "sport": 53,
            "dport": 4000,
            "payload": "abc",
            "ttl": 2,
        },
        "60000000000b110220010db800000000000000000000000120010db800000000000000000000000200350fa0000bd02b616263",
        "2001:db8::1:53 > 2001:db8::2:4000 udp hl 2",
    ),
    (
        "echo6",
        {"src": "2001:db8::1", "dst": "2001:db8::2", "proto": "icmpv6"},
        "6000000000083a4020010db800000000000000000000000120010db80000000000000000000000028000244600010001",
        "2001:db8::1 > 2001:db8::2 icmpv6 type 128 code 0 hl 64",
    ),
    (
        "unreachable6",
        {
            "src": "2001:db8::1",
            "dst": "2001:db8::2",
            "proto": "icmpv6",
            "type": 1,
            "code": 4,
            "inner": {"src": "2001:db8::1", "dst": "2001:db8::2", "sport": 1, "dport": 2},
        },
        "6000000000443a4020010db800000000000000000000000120010db800000000000000000000000201043cce00000000600000000014064020010db800000000000000000000000120010db800000000000000000000000200010002000003e8000000005002ffff50830000",
        "2001:db8::1 > 2001:db8::2 icmpv6 type 1 code 4 hl 64 [2001:db8::1:1 > 2001:db8::2:2 tcp S seq 1000 hl 64]",
    ),
]


@pytest.mark.parametrize(("fields", "expected"), [pytest.param(c[1], c[2], id=c[0]) for c in CASES])
def test_bytes(fields: dict[str, Any], expected: str) -> None:
    assert build(fields).hex() == expected


@pytest.mark.parametrize(("data", "line"), [pytest.param(c[2], c[3], id=c[0]) for c in CASES])
def test_line(data: str, line: str) -> None:
    assert describe(bytes.fromhex(data)) == line


@pytest.mark.parametrize("fields", [pytest.param(c[1], id=c[0]) for c in CASES if ":" not in c[1]["src"]])
def test_ipv4_header_checksum_is_right(fields: dict[str, Any]) -> None:
    packet = build(fields)
    assert internet_checksum(packet[: (packet[0] & 15) * 4]) == 0


@pytest.mark.parametrize("data", [pytest.param(c[2], id=c[0]) for c in CASES])
def test_any_cut_is_described(data: str) -> None:
    packet = bytes.fromhex(data)
    for length in range(len(packet)):
        assert describe(packet[:length])


def test_nothing_is_truncated() -> None:
    assert describe(b"") == "truncated "


def test_scapy_reads_the_same() -> None:
    inet = pytest.importorskip("scapy.layers.inet")
    for name, fields, _, _ in CASES:
        if ":" in fields["src"] or "slice" in fields or fields.get("bad_checksum"):
            continue
        packet = inet.IP(build(fields))
        again = packet.copy()
        del again.chksum
        for layer in (inet.TCP, inet.UDP, inet.ICMP):
            if layer in again:
                del again[layer].chksum
        assert bytes(again) == bytes(packet), name


def test_ethernet() -> None:
    four, six = build(CASES[0][1]), build({"src": "::1", "dst": "::2", "proto": "icmpv6"})
    assert ethernet(four, b"\2" * 6, b"\4" * 6) == b"\2" * 6 + b"\4" * 6 + b"\x08\x00" + four
    assert ethernet(six, bytes(6), bytes(6))[12:14] == b"\x86\xdd"
    assert describe_frame(ethernet(four, bytes(6), bytes(6))) == CASES[0][3]
    assert describe_frame(bytes(12) + b"\x08\x06" + bytes(28)) == "ethertype 0806"


@pytest.mark.parametrize(
    "fields",
    [
        {"src": "10.0.0.1", "dst": "10.0.0.2"},
        {"src": "10.0.0.1", "dst": "10.0.0.2", "proto": "quic"},
        {"src": "10.0.0.1", "dst": "2001:db8::1", "proto": 99},
        {"src": "10.0.0.1", "dst": "10.0.0.2", "sport": 1, "dport": 70000},
    ],
)
def test_no_packet(fields: dict[str, Any]) -> None:
    with pytest.raises((KeyError, ValueError, OSError, struct.error)):
        build(fields)


def test_recorded_frames() -> None:
    """Lines recorded with the frames of real runs."""
    recorded = Path(__file__).parents[3] / "shared" / "recorded"
    if not recorded.is_dir():
        pytest.skip("no recorded observations here")
    import gzip

    count = 0
    for path in sorted(recorded.glob("*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            for step in (step for line in lines for step in json.loads(line)["seen"]["steps"]):
                for frame in step["emitted"]:
                    if " id *" not in frame["summary"]:
                        assert describe_frame(bytes.fromhex(frame["frame_hex"])) == frame["summary"]
                        count += 1
    assert count > 1000
