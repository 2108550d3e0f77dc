"""Packet sequences: new flows aimed at rules, and what follows the frames that came out."""

from __future__ import annotations

import random
from typing import Any

from iptables_emu.packet.build import build
from tests.kernel.fuzz import routing
from tests.kernel.fuzz.hostile import fragments, mangled, with_extension_header
from tests.kernel.fuzz.hosts import Net
from tests.kernel.fuzz.wishes import FLAGS, MARKS, PAYLOADS, PORTS, TOS, TTLS, Wish, port, weighted

Step = dict[str, Any]
SYN_OPTIONS = ("", "", "020405b4", "020405b40402080a000000010000000001030307")
ICMP4 = {8: 12, 3: 3, 0: 2, 13: 2, 11: 1, 5: 1, 17: 1, 12: 1, 15: 1, 4: 1, 42: 1}
ICMP6 = {128: 12, 1: 3, 129: 2, 2: 1, 3: 1, 4: 1}
CHANCES = {"conntrack": 0.55, "nat": 0.4, "kube": 0.4, "mixed": 0.35, "stateful": 0.55, "targets": 0.3, "matches": 0.1}
PROTOCOLS = {"tcp": 45, "udp": 30, "icmp": 15, "99": 2, "gre": 2, "sctp": 1, "50": 1}


class Traffic:
    """Makes steps one after the other."""

    def __init__(self, rng: random.Random, net: Net, wishes: list[Wish], profile: str) -> None:
        self.rng, self.net, self.wishes, self.profile = rng, net, wishes, profile
        self.six = net.family == 6
        self.ident = 100
        self.numbers = {0, 1, 77, *PORTS}
        self.frames: list[tuple[str, bytes]] = []  # what came out: a packet on a link
        self.sent: list[tuple[str, dict[str, Any]]] = []  # what was put in: link ("" is the host) and packet
        self.link_of = {peer: link.name for link in net.links for peer in link.peers}

    def step(self) -> Step:
        """The next step."""
        roll = self.rng.random()
        chance = CHANCES.get(self.profile, 0.2)
        if roll < chance:
            followed = self.follow()
            if followed:
                return followed
        return self.fresh()

    # -- new flows -----------------------------------------------------------------------------------

    def fresh(self) -> Step:
        rng = self.rng
        if self.profile in ("routing", "ipv6") and rng.random() < 0.06:
            link = rng.choice(self.net.links)
            return routing.lesson(rng, self.net, link.name, rng.choice(link.peers))
        wish = dict(rng.choice(self.wishes)) if self.wishes and rng.random() < 0.75 else {}
        local = rng.random() < (0.75 if wish.get("hook") == "OUTPUT" else 0.18)
        packet, iface = self.packet(wish, local)
        if local:
            self.sent.append(("", packet))
            return {"send_local": {"packet": packet, **self._socket(wish)}}
        self.sent.append((iface, packet))
        value: Step = {"iface": iface, "packet": packet}
        roll = rng.random()
        if roll < 0.02:
            value["dst_mac"] = rng.choice(("ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "02:00:00:00:00:77"))
        elif roll < 0.05:
            return {"inject": {"iface": iface, "packet_hex": mangled(rng, build(packet)).hex()}}
        elif roll < 0.07 and not self.six:
            return {"inject": [{"iface": iface, "packet": piece} for piece in fragments(rng, packet)]}
        elif roll < 0.09 and self.six:
            return {"inject": {"iface": iface, "packet_hex": with_extension_header(rng, build(packet)).hex()}}
        return {"inject": value}

    def _socket(self, wish: Wish) -> Step:
        out: Step = {}
        mark = wish.get("mark") or (self.rng.choice(MARKS) if self.rng.random() < 0.2 else 0)
        if mark:
            out["mark"] = mark
        if self.rng.random() < 0.3:
            out["uid"] = 1000
        return out

    def packet(self, wish: Wish, local: bool) -> tuple[dict[str, Any], str]:
        """(packet, link it comes in by) that the wish's rule may match."""
        rng, net = self.rng, self.net
        link = next((x for x in net.links if x.name == wish.get("iface")), rng.choice(net.links))
        src = wish.get("src")
        if local:
            if src not in net.own:
                src = rng.choice(net.own)
            link = next((x for x in net.links if src in x.own), link)
        elif src in net.own or src is None:
            src = rng.choice((*link.peers, *(net.outside if link.name == net.uplink else ())))
        elif "iface" not in wish:
            link = next((x for x in net.links if x.name == self.link_of.get(src, net.uplink)), link)
        dst = wish.get("dst") or self._destination(wish, link.name, local)
        packet: dict[str, Any] = {"src": src, "dst": dst, "proto": self._proto(wish)}
        if self.profile == "routing" and rng.random() < 0.06:
            packet["src"] = rng.choice(("127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", *net.own))
        self._header(packet, wish)
        self._transport(packet, wish)
        return packet, link.name

    def _destination(self, wish: Wish, link: str, local: bool) -> str:
        net = self.net
        others = [peer for x in net.links if x.name != link or local for peer in x.peers]
        into = {"INPUT": 6, "FORWARD": 1}.get(str(wish.get("hook")), 2)
        return self.rng.choice(
            [*net.own * into, *(others * (1 if into == 6 else 2)), *net.outside]
            + (self._odd() if self.profile == "routing" else [])
        )

    def _odd(self) -> list[str]:
        return [
            "127.0.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "10.8.0.255",
            "10.8.0.0",
            "172.16.1.255",
            "240.0.0.1",
        ]

    def _proto(self, wish: Wish) -> Any:
        proto = str(wish.get("proto") or weighted(self.rng, PROTOCOLS))
        if self.six and proto == "icmp":
            proto = "icmpv6"
        return int(proto) if proto.isdecimal() else proto

    def _header(self, packet: dict[str, Any], wish: Wish) -> None:
        rng = self.rng
        self.ident += rng.randint(1, 5)
        if not self.six:
            packet["id"] = self.ident
            if rng.random() < 0.25:
                packet["df"] = True
            if self.profile == "routing" and rng.random() < 0.04:
                packet["ip_options_hex"] = rng.choice(("01010101", "94040000", "0707040a08000100", "44080501000000ff"))
        if "ttl" in wish and rng.random() < 0.8:
            packet["ttl"] = max(1, min(255, wish["ttl"] + rng.choice((0, 0, 1, -1))))
        elif rng.random() < 0.15:
            packet["ttl"] = rng.choice(TTLS)
        if rng.random() < 0.25:
            packet["tos"] = rng.choice(TOS)

    def _transport(self, packet: dict[str, Any], wish: Wish) -> None:
        rng, proto = self.rng, packet["proto"]
        payload = wish.get("payload") or (rng.choice(PAYLOADS) if rng.random() < 0.4 else "")
        if self.profile in ("routing", "ipv6") and rng.random() < 0.08:
            payload = "x" * rng.choice((500, 1252, 1300, 1400, 1452))
        if payload:
            packet["payload"] = payload
        if proto in ("tcp", "udp", 6, 17):
            packet["sport"] = wish.get("sport", port(rng) if rng.random() < 0.5 else 4000)
            packet["dport"] = wish.get("dport", port(rng))
            if proto in ("tcp", 6):
                packet["flags"] = rng.choice(FLAGS)
                if "A" in packet["flags"]:
                    packet["ack"] = 5001
                if rng.random() < 0.4:
                    packet["tcp_options_hex"] = rng.choice(SYN_OPTIONS)
        elif proto in ("icmp", "icmpv6", 1, 58):
            self._icmp(packet)
        elif proto == "sctp":
            packet["payload_hex"] = "0fa00050000000000000000001000014000000010000ffff0001000100000001"
            packet.pop("payload", None)
        elif proto == "gre":
            packet["payload_hex"] = "0000080045000014"
            packet.pop("payload", None)
        if rng.random() < 0.02 and proto != 99:
            packet["bad_checksum"] = True

    def _icmp(self, packet: dict[str, Any]) -> None:
        rng = self.rng
        kind = int(weighted(rng, {str(k): v for k, v in (ICMP6 if self.six else ICMP4).items()}))
        packet.update(type=kind, code=0)
        if kind in ((1, 2, 3, 4) if self.six else (3, 4, 5, 11, 12)):
            packet["code"] = rng.choice((0, 1, 3, 4, 13))
            packet.pop("payload", None)
            if self.sent and rng.random() < 0.6:
                packet["inner"] = {
                    k: v for k, v in rng.choice(self.sent)[1].items() if k not in ("inner", "bad_checksum")
                }
            else:
                packet["inner"] = {
                    "src": packet["dst"],
                    "dst": packet["src"],
                    "proto": "udp",
                    "sport": 4000,
                    "dport": 53,
                    "payload": "abcd",
                }
        else:
            packet["ident"] = 77

    # -- what follows ----------------------------------------------------------------------------------

    def _foreseen(self, data: bytes) -> bool:
        """Whether no number in a frame was drawn, as the kernel would draw another."""
        at = 54 if self.six else 14 + (data[14] & 15) * 4
        proto = data[20 if self.six else 23]
        if proto not in (6, 17) or len(data) < at + 4:
            return proto not in (1, 58) or int.from_bytes(data[at + 4 : at + 6], "big") in self.numbers
        return all(int.from_bytes(data[a : a + 2], "big") in self.numbers for a in (at, at + 2))

    def learn(self, emitted: list[dict[str, Any]]) -> None:
        """Remember the frames that a step made come out."""
        for frame in emitted:
            data = bytes.fromhex(frame["frame_hex"])
            if self._foreseen(data) and len(data) > 34 and (data[12:14] == b"\x86\xdd") == self.six:
                self.frames.append((frame["iface"], data[14:]))

    def follow(self) -> Step | None:
        """A reply to, an error about, or the next packet of something that went before."""
        from tests.kernel.fuzz.replies import error_about, next_of, reply_to

        rng = self.rng
        roll = rng.random()
        if self.frames and roll < 0.7:
            iface, data = rng.choice(self.frames[-4:] if rng.random() < 0.7 else self.frames)
            self.ident += 1
            hop = self._via(iface)
            packet = (error_about(rng, data, hop) if roll < 0.14 else reply_to(rng, data)) | (
                {} if self.six else {"id": 400 + self.ident}
            )
            if len(packet) < 4:
                return None
            return {"inject": {"iface": iface, "packet": packet}}
        if self.sent:
            iface, packet = rng.choice(self.sent[-4:])
            packet = next_of(rng, packet)
            self.sent.append((iface, packet))
            return {"inject": {"iface": iface, "packet": packet}} if iface else {"send_local": {"packet": packet}}
        return None

    def _via(self, iface: str) -> str:
        link = next((x for x in self.net.links if x.name == iface), self.net.links[0])
        return self.rng.choice(link.peers)
