"""The last line, and the exit status."""

from __future__ import annotations

import pytest

from iptables_emu.packet.build import build, ethernet
from iptables_emu.trace.brief import brief
from iptables_emu.trace.ending import parents
from iptables_emu.trace.events import Dropped, Emitted, Event, Fate, PacketStart
from iptables_emu.trace.trace import Trace
from tests.trace.trace_samples import RESET, SSH, delivered, forwarded, hit, looped, policy, rejected, short

SSH_TEXT = "10.0.0.9:1024 > 10.0.0.1:22 tcp"
QUEUED = Dropped(1, "INPUT", "filter INPUT", "nobody listens on queue 0")
NO_ROUTE = Dropped(1, "INPUT", "", "no route to 10.0.0.1")

CASES = [
    (forwarded(), "ACCEPT", 0, "forwarded out eth0 as 192.168.5.3:4000 > 1.2.3.4:80 tcp"),
    (rejected(), "REJECT", 10, "by filter INPUT rule 2, answered 10.0.0.1:22 > 10.0.0.9:1024 tcp"),
    (looped("drop"), "DROP", 10, "by the policy of filter INPUT"),
    (looped("accept"), "ACCEPT", 0, "delivered to this host as 127.0.0.1 > 127.0.0.1 icmp echo-request"),
    (short(hit("accept"), fate="delivered", end=delivered()), "ACCEPT", 0, f"delivered to this host as {SSH_TEXT}"),
    (short(hit("drop")), "DROP", 10, "by filter INPUT rule 3"),
    (short(hit("drop", 7, "fw\x1b")), "DROP", 10, r"by filter fw\x1b rule 7, at INPUT"),
    (short(hit("drop", hotdrop=True)), "DROP", 10, "by filter INPUT rule 3: its match cannot read the packet"),
    (short(policy("drop")), "DROP", 10, "by the policy of filter INPUT"),
    (short(hit("drop", target="REJECT")), "REJECT", 10, "by filter INPUT rule 3, no answer was sent"),
    (short(hit("queue"), end=(QUEUED,)), "DROP", 10, "by filter INPUT rule 3: nobody listens on queue 0"),
    (short(hit("queue"), fate="queued", text="waits"), "QUEUE", 10, "by filter INPUT rule 3: waits"),
    (short(policy("accept"), end=(NO_ROUTE,)), "DROP", 10, "by the kernel after INPUT: no route to 10.0.0.1"),
    (short(policy("accept"), fate="sent", end=(NO_ROUTE,)), "DROP", 10,
     "by the kernel after INPUT: no route to 10.0.0.1"),
    (short(hit("stolen", target="MIRROR"), fate="stolen", text="sent back"), "STOLEN", 10,
     "by filter INPUT rule 3: sent back"),
    (short(hit("unknown", target="XX"), fate="unknown", text="XX is not known"), "UNKNOWN", 20,
     "filter INPUT rule 3: XX is not known"),
    (Trace(forwarded().events[:5]), "UNKNOWN", 20, "the trace ends before the packet does"),
    (Trace(()), "UNKNOWN", 20, "the trace ends before the packet does"),
]  # fmt: skip


@pytest.mark.parametrize(("trace", "verdict", "status", "text"), CASES)
def test_ending(trace: Trace, verdict: str, status: int, text: str) -> None:
    assert (trace.verdict, trace.exit_status, trace.ending.text) == (verdict, status, text)
    assert trace.passed is (verdict == "ACCEPT")
    assert trace.text().splitlines()[-1] == f"{verdict}  {text}"


def test_what_left_and_was_logged() -> None:
    trace = rejected()
    assert [(e.packet, e.iface) for e in trace.emitted] == [(2, "eth0")]
    assert trace.logs == ("in IN=eth0 OUT= SRC=10.0.0.9 DST=10.0.0.1 ",)


def test_an_answer_after_delivery_belongs_to_the_packet_before() -> None:
    events: tuple[Event, ...] = (
        PacketStart(1, "wire", "eth0", "", SSH), Fate(1, "delivered", ""), PacketStart(2, "reply", "", "eth0", RESET),
        Emitted(2, "eth0", ethernet(RESET, bytes(6), bytes(6))), Fate(2, "sent", ""),
        PacketStart(3, "wire", "eth0", "", SSH), Fate(3, "delivered", ""),
    )  # fmt: skip
    assert parents(events) == {2: 1}


UDP6 = {"src": "fd00::1", "dst": "fd00::2", "proto": "udp", "sport": 5, "dport": 53}
BRIEF = [
    (build(UDP6), False, "[fd00::1]:5 > [fd00::2]:53 udp"),
    (build(UDP6), True, "[fd00::1]:5 > [fd00::2]:53 udp hop limit 64"),
    (SSH, True, "10.0.0.9:1024 > 10.0.0.1:22 tcp syn ttl 64"),
    (build({"src": "1.1.1.1", "dst": "2.2.2.2", "proto": "icmp", "type": 3, "code": 3}), False,
     "1.1.1.1 > 2.2.2.2 icmp port-unreachable"),
    (build({"src": "1.1.1.1", "dst": "2.2.2.2", "proto": "icmp", "type": 3}), False,
     "1.1.1.1 > 2.2.2.2 icmp network-unreachable"),
    (build({"src": "1.1.1.1", "dst": "2.2.2.2", "proto": "icmp", "type": 77}), False,
     "1.1.1.1 > 2.2.2.2 icmp type 77 code 0"),
    (build({"src": "1.1.1.1", "dst": "2.2.2.2", "proto": "udp", "sport": 1, "dport": 2, "frag": 185}), False,
     "1.1.1.1 > 2.2.2.2 udp fragment at 1480"),
    (build({"src": "1.1.1.1", "dst": "2.2.2.2", "proto": "gre"}), False, "1.1.1.1 > 2.2.2.2 gre"),
    (build({"src": "1.1.1.1", "dst": "2.2.2.2", "proto": 200}), False, "1.1.1.1 > 2.2.2.2 protocol 200"),
    (SSH[:22], False, "10.0.0.9 > 10.0.0.1 tcp"),
    (b"abc", False, "3 bytes that are no IP packet"),
    (b"", False, "0 bytes that are no IP packet"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "detail", "text"), BRIEF)
def test_brief(data: bytes, detail: bool, text: str) -> None:
    assert brief(data, detail) == text
