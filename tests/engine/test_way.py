"""The way of a packet in small tables: rules, host, packet -> verdict and the rules that were hit."""

from __future__ import annotations

import pytest

from iptables_emu import Emulator, Host, Packet, Ruleset
from iptables_emu.trace.events import ChainEnd, Emitted, PolicyHit, RuleHit, TableEntered

ROUTER = {
    "interfaces": {"eth0": {"addresses": ["192.168.5.3/24"]}, "eth1": {"addresses": ["10.8.0.1/24"]}},
    "routes": [{"dst": "0.0.0.0/0", "via": "192.168.5.1", "dev": "eth0"}],
    "sysctls": {"net.ipv4.ip_forward": 1},
}


def dump(table: str, *lines: str) -> str:
    return "\n".join((f"*{table}", *lines, "COMMIT", ""))


def send(text: str, *sentences: str, personality: str = "nft"):
    emulator = Emulator(Ruleset.loads(text, personality=personality), Host.from_dict(ROUTER), seed=1, now=1e9)
    return [emulator.send(Packet.parse(sentence)) for sentence in sentences]


def hits(trace) -> list[str]:
    """What was hit, shortly: ``INPUT 2``, ``end web``, ``policy INPUT``."""
    out = []
    for event in trace.events:
        if isinstance(event, RuleHit):
            out.append(f"{event.chain} {event.index}")
        elif isinstance(event, ChainEnd):
            out.append(f"end {event.chain}")
        elif isinstance(event, PolicyHit):
            out.append(f"policy {event.chain}")
    return out


KNOCK = "tcp 10.8.0.9:4000 > 10.8.0.1:22 in eth1 syn"
CHAINS = [
    ("a user chain's end goes back to the caller", (":a - [0:0]", "-A INPUT -j a", "-A INPUT -j DROP", "-A a -p udp"),
     "DROP", ["INPUT 1", "end a", "INPUT 2"]),
    ("RETURN goes back", (":a - [0:0]", "-A INPUT -j a", "-A INPUT -j DROP", "-A a -j RETURN", "-A a -j ACCEPT"),
     "DROP", ["INPUT 1", "a 1", "INPUT 2"]),
    ("RETURN from a base chain means its policy", (":INPUT DROP [0:0]", "-A INPUT -j RETURN", "-A INPUT -j ACCEPT"),
     "DROP", ["INPUT 1", "policy INPUT"]),
    ("after goto the end is the caller's caller's", (":a - [0:0]", ":b - [0:0]", "-A INPUT -j a", "-A INPUT -j DROP",
     "-A a -g b", "-A a -j ACCEPT", "-A b -p udp"), "DROP", ["INPUT 1", "a 1", "end b", "INPUT 2"]),
    ("goto from a base chain ends at the policy", (":INPUT DROP [0:0]", ":b - [0:0]", "-A INPUT -g b",
     "-A INPUT -j ACCEPT", "-A b -p udp"), "DROP", ["INPUT 1", "end b", "policy INPUT"]),
    ("a rule without target only counts", ("-A INPUT -p tcp", "-A INPUT -j DROP"), "DROP", ["INPUT 1", "INPUT 2"]),
    ("-i misses where no interface is set", ("-A OUTPUT -j ACCEPT", "-A INPUT -i lo -j DROP", "-A INPUT -j ACCEPT"),
     "ACCEPT", ["INPUT 2"]),
]  # fmt: skip


@pytest.mark.parametrize("personality", ["nft", "legacy"])
@pytest.mark.parametrize(("lines", "verdict", "expected"), [c[1:] for c in CHAINS], ids=[c[0] for c in CHAINS])
def test_chains(personality: str, lines: tuple[str, ...], verdict: str, expected: list[str]) -> None:
    (trace,) = send(dump("filter", ":INPUT ACCEPT [0:0]", *lines), KNOCK, personality=personality)
    assert trace.verdict == verdict
    mine = [hit for hit in hits(trace) if "OUTPUT" not in hit]
    assert mine[: len(expected)] == expected


def test_security_stands_behind_nat_only_in_nft() -> None:
    text = (
        dump("nat", ":INPUT ACCEPT [0:0]", "-A INPUT -p icmp -j SNAT --to-source 10.8.0.7")
        + dump("security", ":INPUT ACCEPT [0:0]")
        + dump("filter", ":INPUT ACCEPT [0:0]")
    )
    for personality, expected in (("nft", ["filter", "nat", "security"]), ("legacy", ["filter", "security", "nat"])):
        (trace,) = send(text, KNOCK, personality=personality)
        tables = [e.table for e in trace.events if isinstance(e, TableEntered) and e.hook == "INPUT" and e.packet == 1]
        assert tables == expected, personality


def test_nat_is_consulted_for_the_first_packet_only() -> None:
    text = dump("nat", ":POSTROUTING ACCEPT [0:0]", "-A POSTROUTING -o eth0 -j SNAT --to-source 192.168.5.100")
    first, answer, third = send(
        text,
        "tcp 10.8.0.9:4000 > 203.0.113.7:80 in eth1 syn",
        "tcp 203.0.113.7:80 > 192.168.5.100:4000 in eth0 flags SA seq 5000 ack 1001",
        "tcp 10.8.0.9:4000 > 203.0.113.7:80 in eth1 flags A seq 1001 ack 5001",
    )
    nat = [
        [e for e in trace.events if isinstance(e, TableEntered) and e.table == "nat"]
        for trace in (first, answer, third)
    ]
    assert [len(entered) for entered in nat] == [1, 0, 0]
    sources = [e.frame[26:30] for trace in (first, third) for e in trace.events if isinstance(e, Emitted)]
    assert sources == [bytes((192, 168, 5, 100))] * 2
    assert [e.iface for e in answer.events if isinstance(e, Emitted)] == ["eth1"]


def test_without_a_rule_that_needs_it_conntrack_does_not_run() -> None:
    text = dump("nat", ":PREROUTING ACCEPT [0:0]", "-A PREROUTING -p tcp -j ACCEPT") + dump(
        "filter", ":INPUT ACCEPT [0:0]"
    )
    (trace,) = send(text, KNOCK)
    assert "nat" not in {e.table for e in trace.events if isinstance(e, TableEntered)}


def test_a_dropped_first_packet_leaves_no_entry() -> None:
    text = dump("filter", ":FORWARD ACCEPT [0:0]", "-A FORWARD -m conntrack --ctstate NEW -j DROP")
    emulator = Emulator(Ruleset.loads(text), Host.from_dict(ROUTER))
    for _ in range(2):
        trace = emulator.send(Packet.parse("udp 10.8.0.9:4000 > 203.0.113.7:53 in eth1"))
        assert trace.verdict == "DROP"
    assert len(emulator.engine.machine.conntrack.table) == 0


def test_established_never_matches_a_first_packet() -> None:
    text = dump("filter", ":INPUT DROP [0:0]", "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT")
    (trace,) = send(text, KNOCK)
    assert trace.verdict == "DROP"
    assert hits(trace)[-1] == "policy INPUT"


@pytest.mark.parametrize(("sentence", "verdict"), [
    ("tcp 10.8.0.9:4000 > 10.8.0.1:22 in eth1 syn", "REJECT"),
    ("udp 10.8.0.9:4000 > 10.8.0.1:22 in eth1", "ACCEPT"),
])  # fmt: skip
def test_reject_sends_a_reset(sentence: str, verdict: str) -> None:
    text = dump("filter", ":INPUT ACCEPT [0:0]", "-A INPUT -p tcp -j REJECT --reject-with tcp-reset")
    (trace,) = send(text, sentence)
    assert trace.verdict == verdict
    if verdict == "REJECT":
        (reset,) = [e.frame for e in trace.events if isinstance(e, Emitted)]
        assert reset[47] == 0x14  # RST and ACK
