"""Hand-made traces: what an engine would tell."""

from __future__ import annotations

from iptables_emu.packet.build import build, ethernet
from iptables_emu.trace.events import (
    ChainEnd,
    Confirmed,
    Delivered,
    Dropped,
    Emitted,
    Event,
    Fate,
    HookEntered,
    Logged,
    Noted,
    PacketStart,
    PolicyHit,
    Rewritten,
    Routed,
    RuleHit,
    RuleSkipped,
    TableEntered,
    TableLeft,
    Tracked,
)
from iptables_emu.trace.trace import Trace

MAC1, MAC2 = bytes.fromhex("020000000001"), bytes.fromhex("02000000fe01")
ETH = MAC1 + MAC2 + b"\x08\x00"


def tcp(src: str, dst: str, sport: int, dport: int, flags: str = "S", ttl: int = 64) -> bytes:
    return build({"src": src, "dst": dst, "sport": sport, "dport": dport, "flags": flags, "ttl": ttl})


OUT = tcp("10.8.0.9", "1.2.3.4", 4000, 80)
HOP = tcp("10.8.0.9", "1.2.3.4", 4000, 80, ttl=63)
NATTED = tcp("192.168.5.3", "1.2.3.4", 4000, 80, ttl=63)
SNAT = "-A POSTROUTING -s 10.8.0.0/24 -o eth0 -j SNAT --to-source 192.168.5.3"
ENTRY = "tcp 6 120 SYN_SENT src=10.8.0.9 dst=1.2.3.4 sport=4000 dport=80 [UNREPLIED] src=1.2.3.4 dst=10.8.0.9"


def table(number: int, hook: str, name: str, data: bytes, iif: str, oif: str, *inside: Event, verdict: str = "accept",
          mark: int = 0) -> list[Event]:  # fmt: skip
    return [TableEntered(number, hook, name, iif, oif, mark, data), *inside, TableLeft(number, hook, name, verdict)]


def forwarded() -> Trace:
    """Through a router with SNAT; a user chain in FORWARD, a mark in mangle."""
    mark = "-A PREROUTING -i eth1 -j MARK --set-xmark 0x2/0xffffffff"
    events: list[Event] = [
        PacketStart(1, "wire", "eth1", "", OUT),
        HookEntered(1, "PREROUTING", "eth1", "", 0, OUT),
        Tracked(1, "NEW", ENTRY),
        *table(1, "PREROUTING", "mangle", OUT, "eth1", "", RuleHit(1, "mangle", "PREROUTING", 1, mark, "continue",
            "MARK"),
               Rewritten(1, "mark", "0x0", "0x2", mark), PolicyHit(1, "mangle", "PREROUTING", "accept")),
        Routed(1, "forward", "1.2.3.4 via 192.168.5.1 dev eth0", "eth0"),
        HookEntered(1, "FORWARD", "eth1", "eth0", 2, HOP),
        *table(1, "FORWARD", "filter", HOP, "eth1", "eth0",
               RuleSkipped(1, "filter", "FORWARD", 1, "-A FORWARD -s 10.9.0.0/16 -j DROP", "-s 10.9.0.0/16",
                   "source 10.8.0.9"),
               RuleSkipped(1, "filter", "FORWARD", 2, "-A FORWARD -p udp -j DROP", "-p udp", "protocol tcp"),
               RuleHit(1, "filter", "FORWARD", 3, "-A FORWARD -j LAN", "jump:LAN"),
               RuleSkipped(1, "filter", "LAN", 1, "-A LAN -o eth7 -j DROP", "-o eth7", "out eth0"),
               ChainEnd(1, "filter", "LAN"),
               RuleHit(1, "filter", "FORWARD", 4, "-A FORWARD -i eth1 -j ACCEPT", "accept"), mark=2),
        HookEntered(1, "POSTROUTING", "", "eth0", 2, HOP),
        *table(1, "POSTROUTING", "nat", HOP, "", "eth0", RuleHit(1, "nat", "POSTROUTING", 1, SNAT, "accept", "SNAT"),
            mark=2),
        Rewritten(1, "source", "10.8.0.9", "192.168.5.3", SNAT),
        Confirmed(1, ENTRY),
        Emitted(1, "eth0", ethernet(NATTED, MAC2, MAC1)),
        Fate(1, "sent", ""),
    ]  # fmt: skip
    return Trace(tuple(events), {("mangle", "PREROUTING"): 1, ("filter", "LAN"): 1}, ETH)


REJECT = "-A INPUT -p tcp -m tcp --dport 22 -j REJECT --reject-with tcp-reset"
SSH = tcp("10.0.0.9", "10.0.0.1", 1024, 22)
RESET = tcp("10.0.0.1", "10.0.0.9", 22, 1024, "RA")


def rejected(comment: str = "") -> Trace:
    """Logged, then refused with a reset that leaves by eth0."""
    log = f'-A INPUT {comment}-j LOG --log-prefix "in "'
    events: list[Event] = [
        PacketStart(1, "wire", "eth0", "", SSH),
        HookEntered(1, "INPUT", "eth0", "", 0, SSH),
        TableEntered(1, "INPUT", "filter", "eth0", "", 0, SSH),
        RuleHit(1, "filter", "INPUT", 1, log, "continue", "LOG"),
        Logged(1, "in IN=eth0 OUT= SRC=10.0.0.9 DST=10.0.0.1 "),
        RuleHit(1, "filter", "INPUT", 2, REJECT, "drop", "REJECT"),
        PacketStart(2, "reply", "", "eth0", RESET),
        *table(2, "OUTPUT", "filter", RESET, "", "eth0", PolicyHit(2, "filter", "OUTPUT", "accept")),
        Emitted(2, "eth0", ethernet(RESET, MAC2, MAC1)),
        Fate(2, "sent", ""),
        TableLeft(1, "INPUT", "filter", "drop"),
        Dropped(1, "INPUT", "filter INPUT", ""),
        Fate(1, "dropped", ""),
    ]
    return Trace(tuple(events), {("filter", "INPUT"): 2}, ETH)


def short(
    *inside: Event, fate: str = "dropped", text: str = "", verdict: str = "drop", end: tuple[Event, ...] = ()
) -> Trace:
    """A packet to this host that meets one table, filter INPUT."""
    events: list[Event] = [
        PacketStart(1, "wire", "eth0", "", SSH),
        *table(1, "INPUT", "filter", SSH, "eth0", "", *inside, verdict=verdict),
        *end,
        Fate(1, fate, text),
    ]
    return Trace(tuple(events))


def hit(verdict: str, index: int = 3, chain: str = "INPUT", target: str = "", hotdrop: bool = False) -> RuleHit:
    return RuleHit(
        1, "filter", chain, index, f"-A {chain} -p tcp -j {target or verdict.upper()}", verdict, target, hotdrop
    )


def policy(verdict: str) -> PolicyHit:
    return PolicyHit(1, "filter", "INPUT", verdict)


def delivered() -> tuple[Event, ...]:
    return (Delivered(1, SSH),)


def looped(last: str) -> Trace:
    """Made here for this host: over lo, where INPUT accepts or drops it."""
    ping = build({"src": "127.0.0.1", "dst": "127.0.0.1", "proto": "icmp"})
    end = [Delivered(2, ping), Fate(2, "delivered", "")] if last == "accept" else [Fate(2, "dropped", "")]
    events: list[Event] = [
        PacketStart(1, "local", "", "lo", ping),
        *table(1, "OUTPUT", "filter", ping, "", "lo", PolicyHit(1, "filter", "OUTPUT", "accept")),
        Fate(1, "sent", ""),
        PacketStart(2, "loop", "lo", "", ping, 1),
        *table(2, "INPUT", "filter", ping, "lo", "", PolicyHit(2, "filter", "INPUT", last), verdict=last),
        *end,
    ]
    return Trace(tuple(events))


def unconditional() -> Trace:
    """What ip_tables calls policy and return."""
    note = Noted(1, "QUEUE is an old name")
    return short(RuleHit(1, "filter", "INPUT", 1, "-A INPUT -j foo", "jump:foo"), hit("return", 1, "foo"), note,
                 RuleHit(1, "filter", "foo", 2, "-A foo -j RETURN", "return"), policy("drop"))  # fmt: skip
