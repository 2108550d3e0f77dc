"""The packet language: flags and sentences -> packets."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iptables_emu.packet.describe import describe
from iptables_emu.packet.packet import Packet, transport_checksum_good
from iptables_emu.packet.spec import PacketError, PacketSpec, parse_packet

WEB = "10.0.0.5:4000 > 1.2.3.4:80"
ASSUMED = "192.0.2.1:40000 > 198.51.100.1:80"

# words as the shell takes them, the packet, what goes with it
GOOD = [
    ("-i eth0 -p tcp -s 10.0.0.5 --sport 4000 -d 1.2.3.4 --dport 80 --syn", f"{WEB} tcp S seq 1000 ttl 64 id 1",
     {"iif": "eth0"}),
    ("'tcp 10.0.0.5:4000 > 1.2.3.4:80 in eth0 syn'", f"{WEB} tcp S seq 1000 ttl 64 id 1", {"iif": "eth0"}),
    ("tcp 10.0.0.5:4000 to 1.2.3.4:80 in eth0 syn", f"{WEB} tcp S seq 1000 ttl 64 id 1", {"iif": "eth0"}),
    ("'syn in eth0 tcp 10.0.0.5:4000->1.2.3.4:80'", f"{WEB} tcp S seq 1000 ttl 64 id 1", {"iif": "eth0"}),
    ("'-i eth0 -p tcp -s 10.0.0.5 --sport 4000 -d 1.2.3.4 --dport 80'", f"{WEB} tcp S seq 1000 ttl 64 id 1",
     {"assumed": ("flags S",)}),
    ("'TCP 10.0.0.5:4000 > 1.2.3.4:http SYN ACK'", f"{WEB} tcp SA seq 1000 ttl 64 id 1", {}),
    ("'tcp 10.0.0.5:4000 > 1.2.3.4:80 syn ack 77 seq 5'", f"{WEB} tcp SA seq 5 ttl 64 id 1", {}),
    ("'tcp 10.0.0.5:4000 > 1.2.3.4:80 syn,ack'", f"{WEB} tcp SA seq 1000 ttl 64 id 1", {}),
    ("'icmp6 fe80::5 > fe80::6 in eth0'", "fe80::5 > fe80::6 icmpv6 type 128 code 0 hl 64", {}),
    ("'tcp 10.0.0.5:4000 > 1.2.3.4:80 ack'", f"{WEB} tcp A seq 1000 ttl 64 id 1", {}),
    ("'tcp 10.0.0.5:4000 > 1.2.3.4:80 ack 7'", f"{WEB} tcp A seq 1000 ttl 64 id 1", {}),
    ("'tcp 10.0.0.5:4000 > 1.2.3.4:80 flags SA ttl 3 tos 0x10'", f"{WEB} tcp SA seq 1000 ttl 3 id 1 tos 0x10", {}),
    ("'tcp 10.0.0.5:4000 > 1.2.3.4:80 flags fin,psh,ack'", f"{WEB} tcp FPA seq 1000 ttl 64 id 1", {}),
    ("'tcp 10.0.0.5:4000 > 1.2.3.4:80 flags none id 9'", f"{WEB} tcp - seq 1000 ttl 64 id 9", {}),
    ("'tcp any:4000 > [fd00::1]:80'", "2001:db8:1::1:4000 > fd00::1:80 tcp S seq 1000 hl 64",
     {"assumed": ("src 2001:db8:1::1", "flags S")}),
    ("'udp [fd00::5]:9 > fd00::1'", "fd00::5:9 > fd00::1:53 udp hl 64", {"assumed": ("dport 53",)}),
    ("'udp > 1.2.3.4:53 from host'", "192.0.2.1:40000 > 1.2.3.4:53 udp ttl 64 id 1", {"local": True}),
    ("'udp > 1.2.3.4:53 uid 7'", "192.0.2.1:40000 > 1.2.3.4:53 udp ttl 64 id 1", {"local": True, "uid": 7}),
    ("'icmp echo-request 10.0.0.1 > 10.0.0.2'", "10.0.0.1 > 10.0.0.2 icmp type 8 code 0 ttl 64 id 1", {"assumed": ()}),
    ("'icmp 10.0.0.1 > 10.0.0.2 type 3 code 1'", "10.0.0.1 > 10.0.0.2 icmp type 3 code 1 ttl 64 id 1", {}),
    ("'icmp echo-reply fd00::1 > fd00::2'", "fd00::1 > fd00::2 icmpv6 type 129 code 0 hl 64", {}),
    ("'10.0.0.1 > 10.0.0.2 port-unreachable'", "10.0.0.1 > 10.0.0.2 icmp type 3 code 3 ttl 64 id 1", {}),
    ("'gre 10.0.0.1 > 10.0.0.2 mark 0x10 mac 2:0:0:0:0:1 in eth0 out eth1'", "10.0.0.1 > 10.0.0.2 proto 47 ttl 64 id 1",
     {"mark": 16, "mac": "02:00:00:00:00:01", "iif": "eth0", "oif": "eth1", "local": False}),
    ("'proto 200 10.0.0.1 > 10.0.0.2'", "10.0.0.1 > 10.0.0.2 proto 200 ttl 64 id 1", {}),
    ("-o eth0", f"{ASSUMED} tcp S seq 1000 ttl 64 id 1", {"oif": "eth0", "local": True, "assumed": (
        "proto tcp", "src 192.0.2.1", "dst 198.51.100.1", "sport 40000", "dport 80", "flags S")}),
    ("-i eth0 -o eth1", f"{ASSUMED} tcp S seq 1000 ttl 64 id 1", {"iif": "eth0", "oif": "eth1", "local": False}),
    ("--in-interface e0 --protocol udp --source 1.1.1.1/32 --destination 2.2.2.2 --source-port=7 --destination-port 9",
     "1.1.1.1:7 > 2.2.2.2:9 udp ttl 64 id 1", {"iif": "e0", "assumed": ()}),
    ("-ieth0 -p UDP --source-p 7 --destination-p domain --src 1.1.1.1 --dst 2.2.2.2",
     "1.1.1.1:7 > 2.2.2.2:53 udp ttl 64 id 1", {}),
    ("-p tcp -m tcp --tcp-flags SYN,ACK SYN,ACK", f"{ASSUMED} tcp SA seq 1000 ttl 64 id 1", {}),
    ("-m mark --mark 0x1", f"{ASSUMED} tcp S seq 1000 ttl 64 id 1", {"mark": 1}),
    ("-m 0x1", f"{ASSUMED} tcp S seq 1000 ttl 64 id 1", {"mark": 1}),
    ("-p icmp --icmp-type port-unreachable", "192.0.2.1 > 198.51.100.1 icmp type 3 code 3 ttl 64 id 1", {}),
    ("-p icmp --icmp-type 3/4", "192.0.2.1 > 198.51.100.1 icmp type 3 code 4 ttl 64 id 1", {}),
    ("-6 -p icmp", "2001:db8:1::1 > 2001:db8:2::1 icmpv6 type 128 code 0 hl 64", {}),
    ("-4 -p 6 --ttl 3 --tos Minimize-Delay --seq 5 --ack 6", f"{ASSUMED} tcp A seq 5 ttl 3 id 1 tos 0x10", {}),
    ("-p udp --uid-owner 0", "192.0.2.1:40000 > 198.51.100.1:53 udp ttl 64 id 1", {"uid": 0, "local": True}),
    ("-i lo", "127.0.0.1:40000 > 127.0.0.1:80 tcp S seq 1000 ttl 64 id 1", {"iif": "lo"}),
    ("-o lo -d 10.0.0.1 -p udp", "10.0.0.1:40000 > 10.0.0.1:53 udp ttl 64 id 1", {"oif": "lo", "local": True}),
    ("-6 -i lo", "::1:40000 > ::1:80 tcp S seq 1000 hl 64", {"assumed": (
        "proto tcp", "src ::1", "dst ::1", "sport 40000", "dport 80", "flags S")}),
    ("-d 127.0.0.1", "127.0.0.1:40000 > 127.0.0.1:80 tcp S seq 1000 ttl 64 id 1", {}),
    ("-i eth0 --mac-source 02:00:00:00:00:0a", f"{ASSUMED} tcp S seq 1000 ttl 64 id 1", {"mac": "02:00:00:00:00:0a"}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "packet", "beside"), GOOD)
def test_good(line: str, packet: str, beside: dict[str, object]) -> None:
    spec = parse_packet(shlex.split(line))
    assert describe(spec.build()) == packet
    assert {key: getattr(spec, key) for key in beside} == beside


BAD = [
    ("", 1, "no packet: say one, as -i eth0"),
    ("'tcp 1.2.3.4:80 in eth0'", 5, '"1.2.3.4:80" could be source or destination: write SOURCE > DESTINATION'),
    ("'tcp 1.2.3:80 > 1.2.3.4'", 5, '"1.2.3" is no address: write it in numbers'),
    ("'tcp > web:80'", 7, '"web" is no address'),
    ("-p all", 4, "a packet has one protocol: give tcp"),
    ("'tcp > 1.2.3.4:99999'", 15, '"99999" is no port'),
    ("'tcp > [fd00::1]:x'", 17, '"x" is no port'),
    ("'tcp > 1.2.3.4:80 in'", 20, "expected an interface, as eth0"),
    ("'tcp > 1.2.3.4:80 sny'", 18, '"sny" says nothing here: did you mean syn?'),
    ("'tcp >'", 6, "expected a destination, as 1.2.3.4:80"),
    ("'tcp from there'", 10, 'expected "host", not "there"'),
    ("'tcp\tzzzzz'", 5, '"zzzzz" says nothing here: a packet reads like: tcp 10.0.0.5:4000 > 1.2.3.4:80 in eth0 syn'),
    ("'tcp in eth0 in eth1'", 16, "in is given twice"),
    ("'udp syn'", 5, "syn is for TCP, and the protocol is udp"),
    ("'tcp type 3'", 10, "type is for ICMP, and the protocol is tcp"),
    ("'gre 1.1.1.1:5 > 2.2.2.2'", 5, "a port needs tcp, udp or sctp"),
    ("'icmp echo-request type 3'", 24, 'type repeats what "echo-request" says'),
    ("'icmp fragmentation-needed fd00::1 > fd00::2'", 6, '"fragmentation-needed" is no ICMP type of IPv6'),
    ("'tcp 1.1.1.1 > fd00::1'", 15, "fd00::1 is IPv6, what stands before it IPv4"),
    ("'udp > 1.1.1.1 len 20'", 19, "20 is too short: headers and payload take 28 bytes"),
    ("'udp > 1.1.1.1 ttl 256'", 19, '"256" is no ttl: give a number from 0 to 255'),
    ("'udp from host in eth0'", 18, "from host means made on this host"),
    ("'udp in eth+'", 8, '"eth+" is a pattern'),
    ("'udp in averylonginterface'", 8, "is no interface name"),
    ("'udp mac 1:2'", 9, "is no MAC address"),
    ("'tcp flags XY'", 11, "are no TCP flags"),
    ("-p udp --syn", 8, "--syn is for TCP, and the protocol is udp"),
    ("-s 10.0.0.0/8", 4, '"10.0.0.0/8" is a network, a packet has one address'),
    ("-p tcp --dport 80:90", 16, '"80:90" is more than one port'),
    ("-p tcp --dport 80,90", 16, '"80,90" is more than one port'),
    ("-p nope", 4, 'unknown protocol "nope"'),
    ("-p tcp --state NEW", 8, "--state: the state follows from the packets before it"),
    ("-p tcp ! --syn", 8, 'a packet has one value for everything: "!" makes no sense'),
    ("-p tcp eth0", 8, '"eth0" stands alone: an option must come before it'),
    ("-d", 3, "-d needs a value behind it"),
    ("-i eth0 -j ACCEPT", 9, "-j: a packet has no target"),
    ("-A INPUT -j ACCEPT", 1, "-A: this is a rule, not a packet"),
    ("--dprot 80", 1, "unknown option --dprot: did you mean --dport?"),
    ("-z 80", 1, "unknown option -z"),
    ("--des 1.2.3.4", 1, "--des could be --destination, --destination-port: write it out"),
    ("--syn=1", 7, "--syn takes no value"),
    ("-6 -4", 4, "-4 is IPv4, what stands before it IPv6"),
    ("--mark 4294967296", 8, '"4294967296" is no mark'),
    ("$'-i eth0\\x1b'", 4, r'"eth0\x1b" is no interface name'),
]  # fmt: skip


@pytest.mark.parametrize(("line", "column", "message"), BAD)
def test_bad(line: str, column: int, message: str) -> None:
    words = ["-i", "eth0\x1b"] if line[:1] == "$" else shlex.split(line)
    with pytest.raises(PacketError) as caught:
        parse_packet(words)
    assert message in caught.value.message
    assert str(caught.value).startswith(f"packet: column {column}: ")
    assert str(caught.value).isprintable()
    assert caught.value.text == " ".join(words)


PAYLOADS = [
    ("'udp 1.1.1.1 > 2.2.2.2 payload \"hello you\"'", b"hello you"),
    ("'udp 1.1.1.1 > 2.2.2.2 payload hello'", b"hello"),
    ("-p udp --payload 'GET / \u00e9'", "GET / \u00e9".encode()),
    ("'udp 1.1.1.1 > 2.2.2.2 payload \"ab\" len 32'", b"ab\0\0"),
]


@pytest.mark.parametrize(("line", "payload"), PAYLOADS)
def test_payload(line: str, payload: bytes) -> None:
    assert parse_packet(shlex.split(line)).build()[28:] == payload


@pytest.mark.parametrize("length", [40, 41, 1500, 65535])
def test_length_is_the_whole_packet(length: int) -> None:
    pkt = Packet(parse_packet(["-p", "tcp", "--length", str(length)]).build())
    assert pkt.length == len(pkt.data) == length
    assert transport_checksum_good(pkt)


def test_sctp_has_ports() -> None:
    data = parse_packet(["sctp 1.1.1.1:7 > 2.2.2.2:9"]).build()
    assert data[20:24] == b"\0\x07\0\x09"
    assert data[28:32].hex() != "00000000"  # CRC32c
    assert data[32] == 1  # INIT


def test_assumes() -> None:
    spec = parse_packet(["tcp > 1.2.3.4:80"])
    assert [spec.assumes(key) for key in ("src", "sport", "dst", "dport", "flags")] == [True, True, False, False, True]
    assert spec.family == 4


def test_pyparsing_is_loaded_for_sentences_only() -> None:
    code = (
        "import sys; from iptables_emu.packet.spec import parse_packet; "
        "parse_packet(['-i', 'eth0']); print('pyparsing' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


WORDS = ["tcp", "udp", "icmp", ">", "1.2.3.4:5", "[fd00::1]:6", "in", "eth0", "syn", "ack", "7", "mark", "payload",
    '"x', "from",
         "host", "type", "len", "-p", "-s", "--sport", "--tcp-flags", "-m", "!", "any", "flags", "SA", "->", "", " ",
             "\x1b", "\udc80"]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=6)), max_size=8), st.booleans())
def test_any_words_make_a_packet_or_one_clear_line(words: list[str], joined: bool) -> None:
    try:
        spec = parse_packet([" ".join(words)] if joined else words)
    except PacketError as problem:
        assert str(problem).isprintable()
        assert problem.column >= 1
    else:
        assert isinstance(spec, PacketSpec)
        Packet(spec.build())
