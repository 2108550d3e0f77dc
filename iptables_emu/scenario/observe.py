"""Events into observations: what the kernel's own traces would have said.

Sources: the trace messages of nf_tables and of ip_tables' TRACE differ; see ``told``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from iptables_emu.packet.describe import describe
from iptables_emu.packet.exthdr import AH, EXTENSION_HEADERS
from iptables_emu.packet.packet import Packet
from iptables_emu.scenario.kernel.tracker import identity
from iptables_emu.trace.events import (
    ChainEnd,
    Delivered,
    Dropped,
    Emitted,
    Event,
    Fate,
    HookEntered,
    Logged,
    PacketStart,
    PolicyHit,
    Rewritten,
    Routed,
    RuleHit,
    TableEntered,
    TableLeft,
)  # fmt: skip

NAT_TARGETS = re.compile(r" -j (DNAT|SNAT|MASQUERADE|REDIRECT|NETMAP)\b")
MSS_OPTION = 4  # bytes
LEGACY_KNOWN = frozenset({"", "ACCEPT", "DROP", "RETURN", "REJECT"})


def _event(chain: str, kind: str, verdict: str, index: int | None = None, rule: str | None = None) -> dict[str, Any]:
    return {"chain": chain, "kind": kind, "index": index, "rule": rule, "verdict": verdict}


class Step:
    """Gathers the events of one step."""

    def __init__(self, personality: str) -> None:
        self.personality = personality
        self.packets: dict[int, dict[str, Any]] = {}
        self.order: list[int] = []
        self.traces: list[dict[str, Any]] = []
        self.open: dict[int, dict[str, Any]] = {}
        self.hooks: dict[int, str] = {}
        self.emitted: list[dict[str, Any]] = []
        self.log: list[str] = []
        self.grown: dict[int, int] = {}  # packets that are told as another since they have grown

    def feed(self, events: Sequence[Event]) -> None:
        for event in events:
            self._feed(event)

    def _feed(self, event: Event) -> None:
        number = self.grown.get(event.packet, event.packet)
        if isinstance(event, PacketStart):
            if self.personality == "nft" and untraced(event.data):
                return
            loop = event.iif == "lo" and event.origin in ("wire", "loop")
            loop &= not (self.personality == "nft" and headless(event.data))
            same = identity(event.data)
            came = self._sent_by_lo(same) if loop else None
            self.order.append(number)
            self.packets[number] = {"path": [], "fate": "dropped", "seen": describe(self._told(event.data)),
                                    "looped_from": came, "loop": loop, "left_by": "", "identity": same,
                                    "six": event.data[0] >> 4 == 6}  # fmt: skip
        elif isinstance(event, Emitted):
            told = {"iface": event.iface, "frame_hex": event.frame.hex(), "summary": describe(event.frame[14:])}
            self.emitted.append(told)
        elif isinstance(event, Logged):
            self.log.append(event.line)
        elif number not in self.packets:
            return
        elif isinstance(event, Routed):
            if event.decision == "up" and self.personality == "nft":
                self._risen(event.packet, number)
        elif isinstance(event, HookEntered):
            self.hooks[number] = event.hook
            self.packets[number]["left_by"] = event.oif
            if number < 0 and number not in self.order:
                self.order.append(number)
            if event.hook in ("PREROUTING", "OUTPUT"):
                self._seen(number, event.hook)
            elif event.hook == "POSTROUTING" and self.packets[number]["path"][-1:] == ["PREROUTING"]:
                self._seen(number, "FORWARD")
        elif isinstance(event, TableEntered) and number not in self.open:
            self.open[number] = {
                "packet": number, "hook": event.hook, "table": event.table, "in": event.iif or None,
                "out": event.oif or None, "mark": event.mark, "header": describe(self._told(event.data)),
                "verdict": "", "events": [],
            }  # fmt: skip
        elif isinstance(event, RuleHit):
            self._rule(number, event)
        elif isinstance(event, Rewritten) and (event.what, event.before) == ("mss", "none"):
            if self.personality == "legacy" and self.packets[number]["six"] and number in self.open:
                self._grow(event.packet, number)
        elif isinstance(event, ChainEnd):
            self._add(number, _event(event.chain, "return", "return"))
        elif isinstance(event, PolicyHit):
            self._add(number, _event(event.chain, "policy", event.verdict))
        elif isinstance(event, TableLeft) and (event.verdict != "repeat" or self.personality == "nft"):
            self._close(number)
        elif isinstance(event, Delivered):
            self._seen(number, "INPUT")
            self.packets[number]["fate"] = "delivered"
        elif isinstance(event, Dropped) and event.where in ("helper", "confirm"):
            self._seen(number, event.hook)
            # the kernel's side looks before IPv4's confirmation, but behind IPv6's in INPUT, which is one place earlier
            if not (event.hook == "INPUT" and self.packets[number]["six"]):
                self.packets[number]["fate"] = "delivered" if event.hook == "INPUT" else "sent"
        elif isinstance(event, Fate) and event.fate == "sent":
            self._seen(number, "POSTROUTING")
            self.packets[number]["fate"] = "sent"

    def _sent_by_lo(self, same: bytes) -> int | None:
        """Which packet a looped one seems to be: of those that look alike, the last that was sent."""
        for number in reversed(self.order):
            packet = self.packets[number]
            if packet["fate"] == "sent" and packet["left_by"] == "lo" and packet["identity"] == same:
                return number
        return None

    def _grow(self, packet: int, number: int) -> None:
        """An IPv6 packet has got one more option: ip_tables' trace knows it by its length, and so no more."""
        new = self.grown[packet] = -len(self.grown) - 1
        trace = {**self.open[number], "packet": new, "events": []}
        self._close(number)
        self.open[new] = trace
        self.order.append(new)
        fresh = {"path": [trace["hook"]], "looped_from": None, "loop": False}
        self.packets[new] = {**self.packets[number], **fresh}
        length = int.from_bytes(self.packets[new]["identity"][:2], "big") + MSS_OPTION
        self.packets[new]["identity"] = length.to_bytes(2, "big") + self.packets[new]["identity"][2:]

    def _risen(self, packet: int, number: int) -> None:
        """A packet goes up from a bridge's port: nf_tables' trace takes it for another one, at its next hook."""
        new = self.grown[packet] = -len(self.grown) - 1
        fresh: dict[str, Any] = {"path": [], "looped_from": None, "loop": False}
        self.packets[new] = {**self.packets[number], **fresh}

    def _told(self, data: bytes) -> bytes:
        """As much of a packet as the trace carries: nf_tables copies the IP header and 20 bytes more."""
        if self.personality == "legacy" or not data:
            return data
        return data[: ((data[0] & 15) * 4 if data[0] >> 4 == 4 else 40) + 20]

    def _seen(self, number: int, hook: str) -> None:
        path = self.packets[number]["path"]
        if hook == "POSTROUTING" and path[-1:] == ["PREROUTING"]:
            path.append("FORWARD")
        if path[-1:] != [hook]:
            path.append(hook)

    def _rule(self, number: int, event: RuleHit) -> None:
        if event.hotdrop and self.personality == "legacy":
            return  # ip_tables names no rule then
        verdict = event.verdict
        if self.personality == "nft" and event.target == "NFQUEUE" and event.queue != (0, False):
            verdict = "?"  # nf_tables tells queue and flags along with the verdict, which makes it a number of its own
        jumps = verdict.startswith(("jump:", "goto:"))
        if self.personality == "legacy" and not jumps and event.target not in LEGACY_KNOWN:
            verdict = ""
        self._add(number, _event(event.chain, "rule", verdict, event.index, event.rule))

    def _add(self, number: int, event: dict[str, Any]) -> None:
        events = self.open[number]["events"]
        if events and not events[-1]["verdict"]:
            events[-1]["verdict"] = "continue"
        events.append(event)

    def _close(self, number: int) -> None:
        trace = self.open.pop(number)
        if not trace["events"]:
            return
        last = trace["events"][-1]
        if not last["verdict"]:
            last["verdict"] = "accept" if NAT_TARGETS.search(last["rule"] or "") else "continue"
        trace["verdict"] = last["verdict"]
        self._seen(number, trace["hook"])
        self.traces.append(trace)

    def finish(self) -> dict[str, Any]:
        """packets, trace, emitted ... with the packets numbered from 1."""
        # a copy that nothing traced on its way to where it was dropped has not been seen
        self.order = [number for number in self.order if self.packets[number]["path"]]
        renumber = {number: index for index, number in enumerate(self.order, 1)}
        self.traces.sort(key=lambda t: renumber[t["packet"]])
        last = {t["packet"]: t for t in self.traces}
        packets = []
        for number in self.order:
            packet = self.packets[number]
            told: dict[str, Any] = {"id": renumber[number], "path": packet["path"],
                                    "fate": self._fate(packet, last.get(number)), "seen": packet["seen"]}  # fmt: skip
            if packet["loop"]:
                told["looped_from"] = renumber.get(packet["looped_from"])
            packets.append(told)
        for seq, trace in enumerate(self.traces, 1):
            trace.update(packet=renumber[trace["packet"]], seq=seq, packet_hex="")
        return {
            "packets": packets, "trace": self.traces, "waypoints": [], "emitted": self.emitted, "log": self.log,
            "delivered_locally": any(p["fate"] == "delivered" for p in packets),
        }  # fmt: skip

    @staticmethod
    def _fate(packet: dict[str, Any], last: dict[str, Any] | None) -> str:
        fate: str = packet["fate"]
        if fate != "dropped":
            return fate
        if last and last["verdict"] in ("drop", "stolen", "queue"):
            return f"dropped in {last['table']} {last['hook']}"
        if last and last["verdict"] == "unknown":
            return f"unknown after {last['table']} {last['hook']}"
        return f"dropped by the kernel after {packet['path'][-1]}"


def untraced(data: bytes) -> bool:
    """Whether nf_tables fails to tell of an IPv6 packet: its last extension header reaches beyond its end."""
    if len(data) < 40 or data[0] >> 4 != 6 or data[6] not in EXTENSION_HEADERS:
        return False
    pkt = Packet(data)
    return pkt.l4 > len(data) and not pkt.truncated and not pkt.frag_offset and pkt.proto_before_ah != AH


def headless(data: bytes) -> bool:
    """Whether nf_tables tells of a packet without its bytes: a later IPv6 fragment."""
    return len(data) >= 40 and data[0] >> 4 == 6 and data[6] in EXTENSION_HEADERS and Packet(data).frag_offset > 0
