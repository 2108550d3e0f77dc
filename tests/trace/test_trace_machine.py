"""The formats for programs: JSON, the kernel's log lines, nft's monitor, HTML."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest

from iptables_emu.packet.build import build
from iptables_emu.trace.events import PacketStart, PolicyHit, Rewritten
from iptables_emu.trace.json import document
from iptables_emu.trace.render import render
from iptables_emu.trace.trace import Trace
from tests.trace.trace_samples import ETH, MAC1, MAC2, forwarded, hit, policy, rejected, short, table, unconditional

SSH_LOG = (
    "IN=eth0 OUT= MAC= SRC=10.0.0.9 DST=10.0.0.1 LEN=40 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=TCP SPT=1024 DPT=22 "
    "SEQ=1000 ACK=0 WINDOW=65535 RES=0x00 SYN URGP=0 "
)


def test_json_nests_packets_hooks_and_tables() -> None:
    doc = json.loads(render(forwarded(), "json", why=True))
    assert (doc["format"], doc["version"], doc["verdict"], doc["exit_status"]) == ("iptables-sim-trace", 1, "ACCEPT", 0)
    (packet,) = doc["packets"]
    assert [hook["hook"] for hook in packet["hooks"]] == ["PREROUTING", "FORWARD", "POSTROUTING"]
    forward = packet["hooks"][1]
    assert (forward["in"], forward["out"], forward["mark"]) == ("eth1", "eth0", 2)
    (filters,) = forward["tables"]
    assert (filters["table"], filters["verdict"], filters["not_matched"]) == ("filter", "accept", 3)
    assert filters["header"] == "10.8.0.9:4000 > 1.2.3.4:80 tcp S seq 1000 ttl 63 id 1"
    told = [(e["type"], e.get("chain"), e.get("index"), e.get("verdict")) for e in filters["events"]]
    assert told == [
        ("skip", "FORWARD", 1, None), ("skip", "FORWARD", 2, None), ("rule", "FORWARD", 3, "jump:LAN"),
        ("skip", "LAN", 1, None), ("end", "LAN", None, None), ("rule", "FORWARD", 4, "accept"),
    ]  # fmt: skip
    assert [e["type"] for e in packet["hooks"][2]["events"]] == ["rewrite", "confirmed", "sent", "fate"]
    assert packet["final"] == {"verdict": "ACCEPT", "fate": "sent", "text": doc["text"]}


def test_json_counts_without_why() -> None:
    (filters,) = document(forwarded(), why=False)["packets"][0]["hooks"][1]["tables"]
    assert filters["not_matched"] == 3
    assert [e["type"] for e in filters["events"]] == ["rule", "end", "rule"]


def test_json_links_the_answer() -> None:
    first, answer = document(rejected(), why=False)["packets"]
    assert (first["parent"], answer["parent"], answer["origin"]) == (None, 1, "reply")
    assert answer["hooks"][0]["events"][0]["summary"].startswith("10.0.0.1:22 > 10.0.0.9:1024 tcp RA")


def test_json_order_is_in_seq() -> None:
    def sequence(node: object) -> list[int]:
        if isinstance(node, list):
            return [seq for each in node for seq in sequence(each)]
        if isinstance(node, dict):
            return ([node["seq"]] if "seq" in node else []) + [s for each in node.values() for s in sequence(each)]
        return []

    seqs = sequence(document(rejected(), why=True))
    assert len(seqs) == len(set(seqs)) > 5


def test_kernel_line() -> None:
    first = render(short(policy("drop")), "kernel")
    assert first == f"TRACE: filter:INPUT:policy:1 {SSH_LOG}\n"


@pytest.mark.parametrize(("trace", "words"), [
    (forwarded(), ["mangle:PREROUTING:rule:1", "mangle:PREROUTING:policy:2", "filter:FORWARD:rule:3",
     "filter:LAN:return:2",
                   "filter:FORWARD:rule:4", "nat:POSTROUTING:rule:1"]),
    (unconditional(), ["filter:INPUT:rule:1", "filter:foo:rule:1", "filter:foo:return:2", "filter:INPUT:policy:2"]),
    (rejected(), ["filter:INPUT:rule:1", "filter:INPUT:rule:2", "filter:OUTPUT:policy:1"]),
])  # fmt: skip
def test_kernel_names(trace: Trace, words: list[str]) -> None:
    assert [line.split()[1] for line in render(trace, "kernel").splitlines()] == words


def test_kernel_shows_the_mark_after_the_rule_that_set_it() -> None:
    rule, end, *_ = render(forwarded(), "kernel").splitlines()
    assert f"MAC={ETH.hex(':')} " in rule
    assert "MARK=" not in rule
    assert end.endswith("URGP=0 MARK=0x2 ")


# nft 1.0.6 on Linux: nft monitor trace of these packets, sent to eth0 (the rules' text apart)
MONITOR = [
    ({"sport": 1, "dport": 80}, "ip length 40 tcp sport 1 tcp dport 80 tcp flags == syn tcp window 65535"),
    ({"sport": 1, "dport": 82, "flags": "FPA", "tos": 3}, "ip dscp cs0 ip ecn ce ip ttl 64 ip id 1 ip length 40 "
     "tcp sport 1 tcp dport 82 tcp flags == 0x19 tcp window 65535"),
    ({"proto": "udp", "sport": 5, "dport": 53, "payload": "hello world, this is long"},
     "ip length 53 udp sport 5 udp dport 53 udp length 33 @th,64,96 0x68656c6c6f20776f726c642c"),
    ({"proto": "icmp", "payload": "abc"}, "ip length 31 icmp type echo-request icmp code net-unreachable icmp id 1 "
     "icmp sequence 1 @th,64,24 0x616263"),
    ({"proto": "gre", "payload": "abcdefgh"}, "ip id 1 ip protocol gre ip length 28 @th,0,64 0x6162636465666768"),
    ({"proto": "sctp", "payload_hex": "0001005012345678aabbccdd00000000"},
     "ip length 36 sctp sport 1 sctp dport 80 sctp vtag 305419896 @th,96,32 0x0"),
    ({"proto": 50, "payload_hex": "0001005012345678aabbccdd00000000"},
     "ip length 36 esp spi 65616 esp sequence 305419896 @th,64,64 0xaabbccdd00000000"),
    ({"src": "fd00::9", "dst": "fd00::1", "sport": 1, "dport": 81, "flags": "SA", "tos": 16},
     "ip6 saddr fd00::9 ip6 daddr fd00::1 ip6 dscp 0x04 ip6 ecn not-ect ip6 hoplimit 64 ip6 flowlabel 0 ip6 length 20 "
     "tcp sport 1 tcp dport 81 tcp flags == 0x12 tcp window 65535"),
    ({"src": "fd00::9", "dst": "fd00::1", "proto": "icmpv6", "payload": "abc"},
     "ip6 length 11 icmpv6 type echo-request "
     "icmpv6 code no-route icmpv6 parameter-problem 65537 @th,64,24 0x616263"),
    ({"src": "fd00::9", "dst": "fd00::1", "proto": "gre", "payload": "abcdefgh"},
     "ip6 flowlabel 0 ip6 nexthdr gre ip6 length 8 @th,0,64 0x6162636465666768"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), MONITOR)
def test_nft_packet(fields: dict[str, object], expected: str) -> None:
    data = build({"src": "10.0.0.9", "dst": "10.0.0.1", **fields})
    events = [PacketStart(1, "wire", "eth0", "", data), *table(1, "INPUT", "filter", data, "eth0", "")]
    (line,) = render(Trace(tuple(events), eth=ETH), "nft").splitlines()
    family = "ip6" if "src" in fields else "ip"
    ether = f"ether saddr {MAC2.hex(':')} ether daddr {MAC1.hex(':')}"
    assert f' {family} filter INPUT packet: iif "eth0" {ether} {family} saddr ' in line
    assert line.endswith(f" {expected} ")


def test_nft_events() -> None:
    data = build({"src": "127.0.0.1", "dst": "127.0.0.1", "proto": "icmp"})
    inside = (
        hit("jump:foo"),
        hit("return", 1, "foo"),
        Rewritten(1, "mark", "0x0", "0x5", ""),
        PolicyHit(1, "filter", "INPUT", "drop"),
    )
    trace = Trace((PacketStart(1, "loop", "lo", "", data), *table(1, "INPUT", "filter", data, "lo", "", *inside)))
    first, *rest = render(trace, "nft").splitlines()
    head, packet = first[: len("trace id 00000000 ip filter ")], first.partition("packet: ")[2]
    assert packet.startswith('iif "lo" @ll,0,112 0x800 ip saddr 127.0.0.1 ')
    assert rest == [
        f"{head}INPUT rule -A INPUT -p tcp -j JUMP:FOO (verdict jump foo)",
        f"{head}foo rule -A foo -p tcp -j RETURN (verdict return)",
        f"{head}INPUT policy drop meta mark 0x00000005 ",
    ]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name in ("src", "onclick")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_is_whole_and_escaped() -> None:
    page = _Page()
    comment = '-m comment --comment "<script>alert(1)</script>\x1b" '
    page.feed(render(rejected(comment), "html", why=True))
    assert page.open == []
    assert page.tags.isdisjoint({"script", "link", "img", "iframe"})
    assert '--comment "<script>alert(1)</script>\\x1b"' in page.text
    assert "REJECT by filter INPUT rule 2" in page.text
