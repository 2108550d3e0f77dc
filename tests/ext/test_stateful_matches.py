"""What the matches with a memory, and those that look at connection or socket, answer packet by packet."""

from __future__ import annotations

import random
import shlex
from types import SimpleNamespace
from typing import Any

import pytest

from iptables_emu.conntrack.table import Conn
from iptables_emu.conntrack.tuples import ASSURED, CONFIRMED, ESTABLISHED_REPLY, NEW, SRC_NAT, Tuple
from iptables_emu.ext.api import Compile, Match, Test
from iptables_emu.options.spec import Base
from iptables_emu.packet.packet import Packet
from iptables_emu.text.argv import Parser

SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


def match_of(rule: str, personality: str = "legacy") -> Match:
    """The first match of a rule."""
    command = Parser(4, personality, "iptables", "1.8.11").parse(["iptables", "-A", "OUTPUT", *shlex.split(rule)])
    return command.spec.matches[0]


def compiled(rule: str, personality: str = "legacy") -> Test:
    return match_of(rule, personality).compile(Compile(Base(4, 0, False, personality)))


def packet(size: int = 28, **fields: Any) -> Packet:
    """A UDP packet of ``size`` bytes."""
    header = bytes((0x45, 0, size >> 8, size & 255, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2))
    pkt = Packet(header + bytes(size - 20))
    for name, value in fields.items():
        setattr(pkt, name, value)
    return pkt


def context(now: int = START) -> Any:
    return SimpleNamespace(now=now, rng=random.Random(1))


def connection(**fields: Any) -> Conn:
    original = Tuple(4, 0x0A000001, 0x0A000002, 17, 4000, 53)
    return Conn([original, Tuple(4, 0x0A000002, 0xC0000201, 17, 53, 4000)], **fields)


def run(test: Test, times: list[float]) -> str:
    """Answers at some seconds: 1 matches, 0 does not."""
    return "".join(str(int(bool(test(packet(), context(START + int(at * SECOND)))))) for at in times)


@pytest.mark.parametrize("personality", ["legacy", "nft"])
def test_limit_gives_the_burst_then_the_rate(personality: str) -> None:
    test = compiled("-m limit --limit 2/sec --limit-burst 3", personality)
    assert run(test, [0, 0, 0, 0, 0.4, 0.6, 0.7, 1.1, 10, 10, 10, 10]) == "111001011110"


def test_limit_counts_in_jiffies_or_nanoseconds() -> None:
    times = [0, 0.499999999]
    assert run(compiled("-m limit --limit 2/sec --limit-burst 1"), times) == "10"
    # START is a whole jiffy: half a second less a nanosecond is a jiffy short, but 3 ms later it is one
    assert run(compiled("-m limit --limit 2/sec --limit-burst 1"), [0.003, 0.5]) == "11"
    assert run(compiled("-m limit --limit 2/sec --limit-burst 1", "nft"), [0.003, 0.5]) == "10"


def test_nth_takes_its_turn() -> None:
    assert run(compiled("-m statistic --mode nth --every 3 --packet 0"), [0] * 7) == "1001001"
    assert run(compiled("-m statistic --mode nth --every 3 --packet 2"), [0] * 7) == "0010010"
    assert run(compiled("-m statistic --mode nth ! --every 3 --packet 2"), [0] * 7) == "1101101"


def test_random_follows_the_seed() -> None:
    ctx, test = context(), compiled("-m statistic --mode random --probability 0.25")
    hits = sum(bool(test(packet(), ctx)) for _ in range(4000))
    assert 900 < hits < 1100


def test_quota_is_used_up_by_a_packet_too_large() -> None:
    test = compiled("-m quota --quota 100")
    assert [bool(test(packet(size), context())) for size in (60, 60, 28)] == [True, False, False]
    inverted = compiled("-m quota ! --quota 100")
    assert [bool(inverted(packet(size), context())) for size in (60, 60, 28)] == [False, True, True]


# (rule, packet without connection, untracked, NEW, answered)
STATES = [
    ("-m state --state NEW", "0010"),
    ("-m state ! --state NEW", "1101"),
    ("-m state --state INVALID,UNTRACKED", "1100"),
    ("-m conntrack --ctstate ESTABLISHED", "0001"),
    ("-m conntrack --ctstate NEW,SNAT", "0011"),
    ("-m conntrack ! --ctstate NEW,SNAT", "1100"),
    # without a connection the state alone decides
    ("-m conntrack --ctstate INVALID,NEW --ctproto 6", "1000"),
    ("-m conntrack --ctproto 17", "0011"),
    ("-m conntrack ! --ctproto 17", "0000"),
    ("-m conntrack --ctorigsrc 10.0.0.0/24 --ctrepldst 192.0.2.1", "0011"),
    ("-m conntrack ! --ctorigdstport 50:60", "0000"),
    ("-m conntrack --ctreplsrcport 53", "0011"),
    ("-m conntrack --ctstatus ASSURED,EXPECTED", "0001"),
    ("-m conntrack ! --ctstatus ASSURED", "0010"),
    ("-m conntrack --ctstatus NONE", "0000"),
    ("-m conntrack --ctdir REPLY", "0001"),
    # an entry that is not confirmed has no time left
    ("-m conntrack --ctexpire 0", "0010"),
    ("-m conntrack --ctexpire 29:30", "0001"),
    ("-m connmark --mark 0x10/0xf0", "0001"),
    ("-m connmark ! --mark 0x10/0xf0", "0010"),
    ("-m helper --helper ftp", "0001"),
    ("-m helper --helper ftp-2121", "0001"),
    ("-m helper ! --helper irc", "1111"),
    ("-m helper --helper \"\"", "0001"),
    ("-m connbytes --connbytes 3 --connbytes-mode packets --connbytes-dir both", "0001"),
    ("-m connbytes ! --connbytes 0:100 --connbytes-mode bytes --connbytes-dir reply", "0001"),
    ("-m connbytes --connbytes 100:100 --connbytes-mode avgpkt --connbytes-dir both", "0001"),
    ("-m connbytes --connbytes 0 --connbytes-mode avgpkt --connbytes-dir reply", "0011"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "wanted"), STATES, ids=[rule for rule, _ in STATES])
def test_connection(rule: str, wanted: str) -> None:
    new = connection(accounted=True, timeout=30)
    master = connection(helper="ftp")
    old = connection(status=CONFIRMED | ASSURED | SRC_NAT, mark=0x11, timeout_at=START + 30 * SECOND, master=master,
                     accounted=True, packets=[2, 2], bytes=[200, 200])  # fmt: skip
    packets = [packet(), packet(untracked=True), packet(ct=new, ctinfo=NEW), packet(ct=old, ctinfo=ESTABLISHED_REPLY)]
    test = compiled(rule)
    assert "".join(str(int(bool(test(pkt, context())))) for pkt in packets) == wanted


# (rule, forwarded packet, kernel's socket, user 1000, user not known)
OWNERS = [
    ("-m owner --uid-owner 1000", [False, False, True, None]),
    ("-m owner ! --uid-owner 1000", [True, True, False, None]),
    ("-m owner --uid-owner 0-999", [False, False, False, None]),
    ("-m owner --gid-owner 5 --suppl-groups", [False, False, None, None]),
    ("-m owner --socket-exists", [False, True, True, True]),
    ("-m owner ! --socket-exists ! --uid-owner 5", [True, False, False, False]),
]


@pytest.mark.parametrize(("rule", "wanted"), OWNERS, ids=[rule for rule, _ in OWNERS])
def test_owner(rule: str, wanted: list[bool | None]) -> None:
    packets = [packet(), packet(socket=True, uid=-1), packet(socket=True, uid=1000, gid=1000), packet(socket=True)]
    test = compiled(rule)
    assert [test(pkt, context()) for pkt in packets] == wanted


@pytest.mark.parametrize(("rule", "wanted"), [
    ("-m addrtype --dst-type LOCAL", True), ("-m addrtype ! --dst-type LOCAL", False),
    ("-m addrtype --src-type UNICAST --dst-type LOCAL,MULTICAST", True),
    ("-m addrtype ! --src-type UNICAST --dst-type LOCAL", False),
])  # fmt: skip
def test_addrtype(rule: str, wanted: bool) -> None:
    host = SimpleNamespace(addr_type=lambda value, family, dev: "LOCAL" if value == 0x0A000002 else "UNICAST")
    assert compiled(rule)(packet(), SimpleNamespace(host=host, iif="", oif="")) is wanted  # type: ignore[arg-type]
