"""Conversations that the connection tracking helpers listen to, through NAT or not, and what they announce."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from iptables_emu.conntrack.expect import Expectation
from iptables_emu.conntrack.tuples import GRE, Tuple
from iptables_emu.model.address import show
from iptables_emu.scenario.emulate import Run
from tests.kernel.fuzz import helper_words
from tests.kernel.fuzz.replies import parts
from tests.kernel.fuzz.sip_words import Sayer, SipWords

Step = dict[str, Any]
# helper: (protocols, port, families)
HELPERS: dict[str, tuple[tuple[str, ...], int, tuple[int, ...]]] = {
    "sip": (("udp", "udp", "tcp"), 5060, (4, 4, 6)),
    "pptp": (("tcp",), 1723, (4,)),
    "ftp": (("tcp",), 21, (4, 4, 6)),
    "irc": (("tcp",), 6667, (4,)),
    "tftp": (("udp",), 69, (4, 6)),
    "amanda": (("udp",), 10080, (4, 4, 6)),
    "sane": (("tcp",), 6566, (4, 6)),
    "netbios-ns": (("udp",), 137, (4,)),
    "snmp": (("udp",), 161, (4,)),
    "snmp_trap": (("udp",), 162, (4,)),
}
WEIGHTS = (12, 6, 4, 3, 2, 3, 2, 1, 3, 1)
WORDS = {"ftp": helper_words.ftp, "irc": helper_words.irc, "tftp": helper_words.tftp, "amanda": helper_words.amanda,
         "sane": helper_words.sane, "snmp": helper_words.snmp, "snmp_trap": helper_words.snmp}  # fmt: skip
INSIDE = {4: ("10.8.0.11", "10.8.0.12"), 6: ("fd00:2::11", "fd00:2::12")}
OUTSIDE = {4: ("203.0.113.7", "203.0.113.8"), 6: ("2606:4700::1111", "2a00:1450::5")}
OWN = {4: ("192.168.5.3", "10.8.0.1"), 6: ("2001:db8:5::3", "fd00:2::1")}
SPARE = {4: "192.168.5.4", 6: "2001:db8:5::4"}
HOSTS: dict[int, dict[str, Any]] = {
    4: {"interfaces": {"eth0": {"addresses": ["192.168.5.3/24", "192.168.5.4/24"]},
                       "eth1": {"addresses": ["10.8.0.1/24"]}},
        "routes": [{"dst": "0.0.0.0/0", "via": "192.168.5.1", "dev": "eth0"}],
        # redirects are rationed by the clock
        "sysctls": {"net.ipv4.ip_forward": 1, "net.ipv4.conf.all.send_redirects": 0,
                    "net.ipv4.conf.eth0.send_redirects": 0, "net.ipv4.conf.eth1.send_redirects": 0}},
    6: {"interfaces": {"eth0": {"addresses": ["2001:db8:5::3/64", "2001:db8:5::4/64"]},
                       "eth1": {"addresses": ["fd00:2::1/64"]}},
        "routes": [{"dst": "::/0", "via": "2001:db8:5::1", "dev": "eth0"}],
        "sysctls": {"net.ipv6.conf.all.forwarding": 1}},
}  # fmt: skip
# what is written here or said by helper_words and sip_words: no port that was drawn
KNOWN_PORTS = {
    1, 2, 20, 21, 22, 69, 70, 77, 80, 88, 137, 138, 161, 162, 163, 999, 1723, 1724, 4000, 4001, 4002, 4003, 4009,
    5000, 5001, 5060, 5061, 6000, 6566, 6567, 6667, 6668, 7078, 7079, 9000, 10080, 10081, 40000, 50000, 50001,
    50002, 65534, 65535,
}  # fmt: skip


@dataclass(slots=True)
class Side:
    """An end as it sees itself and its peer; ``iface`` "" is the host."""

    iface: str
    address: str
    port: int
    peer: str
    peer_port: int
    seq: int
    ack: int = 0


@dataclass(slots=True)
class Talk:
    """One connection: who opened it comes first."""

    sides: list[Side]
    sip: SipWords | None = None
    pptp: helper_words.PptpWords | None = None
    opened: bool = False


@dataclass(slots=True)
class Plan:
    """What the scenario is about."""

    helper: str
    family: int
    proto: str
    port: int
    backend: str
    inwards: bool = False  # the server is inside, behind DNAT
    target: str = ""  # whom clients ask for
    server: str = ""
    server_port: int = 0
    nat: list[str] = field(default_factory=list)

    @property
    def seen_whole(self) -> bool:
        """Whether what is rewritten on its way in is still known for the same: ip6_tables' trace has no ids."""
        return self.family == 4 or self.backend == "nft"


class Talks:
    """Makes a scenario of the helpers step by step."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.plan = self._plan()
        self.talks: list[Talk] = []

    # -- the host and its rules ------------------------------------------------------------------------

    def _plan(self) -> Plan:
        rng = self.rng
        helper = rng.choices(list(HELPERS), WEIGHTS)[0]
        protos, port, families = HELPERS[helper]
        plan = Plan(helper, rng.choice(families), rng.choice(protos), port, rng.choice(("nft", "legacy")))
        out, inner = OUTSIDE[plan.family], INSIDE[plan.family]
        plan.target = plan.server = out[0]
        plan.server_port = port
        host = (lambda a: f"[{a}]") if plan.family == 6 else str
        snat = rng.choice(("", "", "-j MASQUERADE", "-j MASQUERADE", f"-j SNAT --to-source {SPARE[plan.family]}",
                           f"-p {plan.proto} -j SNAT --to-source {host(SPARE[plan.family])}:6000",
                           f"-p {plan.proto} -j MASQUERADE --to-ports 6000"))  # fmt: skip
        if snat:
            plan.nat.append(f"-A POSTROUTING -o eth0 {snat}")
        roll = rng.random()
        to = f"-p {plan.proto} --dport {port}"
        if roll < 0.3:
            plan.inwards, plan.target, plan.server = True, OWN[plan.family][0], inner[0]
            plan.server_port = rng.choice((port, port, port + 1))
            plan.nat.append(f"-A PREROUTING -i eth0 {to} -j DNAT --to-destination {host(inner[0])}:{plan.server_port}")
        elif roll < 0.4:
            plan.target = out[1]
            plan.nat.append(f"-A PREROUTING -i eth1 -d {out[1]} {to} -j DNAT --to-destination {out[0]}")
        elif roll < 0.45 and plan.seen_whole:
            plan.nat.append(f"-A PREROUTING -i eth1 {to} -j REDIRECT --to-ports {port}")
        return plan

    def rules(self) -> list[str]:
        plan, rng = self.plan, self.rng
        help_rule = f"-p {plan.proto} --dport {plan.port} -j CT --helper {plan.helper}"
        lines = ["*raw", ":PREROUTING ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]",
                 f"-A PREROUTING {help_rule}", f"-A OUTPUT {help_rule}", "COMMIT"]  # fmt: skip
        if plan.nat:
            lines += ["*nat", ":PREROUTING ACCEPT [0:0]", ":INPUT ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]",
                      ":POSTROUTING ACCEPT [0:0]", *plan.nat, "COMMIT"]  # fmt: skip
        lines += ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]"]
        for chain in ("FORWARD", "INPUT"):
            lines += [f"-A {chain} -m helper --helper {plan.helper}", f"-A {chain} -m state --state RELATED",
                      f"-A {chain} -m state --state INVALID"]  # fmt: skip
        if rng.random() < 0.1:
            lines.append(f"-A FORWARD -p {plan.proto} -m conntrack --ctstate NEW --ctorigdstport 4000 -j DROP")
        return [*lines, "COMMIT"]

    def scenario(self, name: str) -> dict[str, Any]:
        plan = self.plan
        return {
            "name": name, "host": HOSTS[plan.family], "backend": plan.backend,
            "observe": ["conntrack", "save", "expect"],
            "rulesets": {"ipv6" if plan.family == 6 else "ipv4": self.rules()}, "random": True, "steps": [],
        }  # fmt: skip

    # -- steps -------------------------------------------------------------------------------------------

    def step(self, run: Run) -> tuple[Step, Talk | None, int]:
        """(step, the talk it belongs to, which side's)."""
        rng = self.rng
        roll = rng.random()
        if self.plan.helper in ("netbios-ns", "snmp") and roll < 0.5:
            return self._question(), None, 0
        tracker = run.engine.machine.conntrack
        announced = [e for e in tracker.expectations.waiting if e.dport in KNOWN_PORTS]
        if announced and roll < 0.25:
            return self._announced(rng.choice(announced)), None, 0
        flows = [conn for conn in tracker.table if (conn.master or conn.helper in ("netbios-ns", "snmp", "tftp"))
                 and {conn.reply.sport, conn.reply.dport} <= KNOWN_PORTS]  # fmt: skip
        if flows and roll < 0.35:
            conn = rng.choice(flows)
            return self._of_tuple(rng.choice((conn.original, conn.reply, conn.reply))), None, 0
        if rng.random() < 0.006:
            return {"sleep": rng.choice((1.0, 2.0, 3.0))}, None, 0
        if not self.talks or (roll > 0.93 and len(self.talks) < 3):
            self.talks.append(self._new())
        talk = rng.choice(self.talks)
        side, payload, flags = self._said(talk)
        return self._send(talk, side, payload, flags), talk, side

    def _new(self) -> Talk:
        rng, plan = self.rng, self.plan
        port = (
            plan.port if plan.helper in ("sip", "netbios-ns") and rng.random() < 0.7 else rng.choice((4000, 4001, 5061))
        )
        if rng.random() < 0.1 and plan.seen_whole:
            client = Side("", OWN[plan.family][0], port, OUTSIDE[plan.family][0], plan.port, 1000)
        elif plan.inwards:
            client = Side("eth0", rng.choice(OUTSIDE[plan.family]), port, plan.target, plan.port, 1000)
        else:
            client = Side("eth1", rng.choice(INSIDE[plan.family]), port, plan.target, plan.port, 1000)
        server = Side("eth1" if plan.inwards else "eth0", plan.server, plan.server_port, client.address, port, 5000)
        if client.iface == "":
            server = Side("eth0", OUTSIDE[plan.family][0], plan.port, client.address, port, 5000)
        talk = Talk([client, server], opened=rng.random() < 0.05 or plan.proto == "udp")
        if plan.helper == "sip":
            talk.sip = SipWords(rng, plan.family == 6, plan.proto)
        if plan.helper == "pptp":
            talk.pptp = helper_words.PptpWords(rng)
        return talk

    def _said(self, talk: Talk) -> tuple[int, bytes, str]:
        """(whose turn, payload, TCP flags)."""
        rng, (client, server) = self.rng, talk.sides
        if not talk.opened:
            if not server.ack:
                return 0, b"", "S"
            if not client.ack:
                return 1, b"", "SA"
            talk.opened = True
            return 0, b"", "A"
        flags = "PA" if rng.random() < 0.97 else rng.choice(("A", "FA", "R", "S"))
        if talk.pptp:
            turn, payload = talk.pptp.next()
        elif talk.sip:
            turn = int(rng.random() < 0.5)
            payload = self._sip(talk.sip, talk.sides[turn], turn)
        else:
            turn = int(rng.random() < (0.35 if self.plan.helper in ("ftp", "irc") else 0.5))
            side = talk.sides[turn]
            payload = WORDS.get(self.plan.helper, helper_words.tftp)(rng, turn, side.address, side.peer)
        return turn, payload, flags

    def _sip(self, words: SipWords, side: Side, turn: int) -> bytes:
        rng, family = self.rng, self.plan.family
        hearsay = (*INSIDE[family], *OUTSIDE[family], OWN[family][0], SPARE[family])
        me = Sayer(side.address, side.port, side.peer, side.peer_port, hearsay)
        asks = rng.random() < (0.75 if turn == 0 else 0.25)
        data = words.request(me) if asks else words.response(me)
        if self.plan.proto == "tcp" and rng.random() < 0.15:
            data += words.request(me) if asks else words.response(me)
        return data[:1300]

    def _send(self, talk: Talk, turn: int, payload: bytes, flags: str) -> Step:
        side, plan, rng = talk.sides[turn], self.plan, self.rng
        packet: Step = {"src": side.address, "dst": side.peer, "proto": plan.proto, "sport": side.port,
                        "dport": side.peer_port}  # fmt: skip
        if payload:
            packet["payload_hex"] = payload.hex()
        if plan.proto == "tcp":
            packet |= {"flags": flags, "seq": side.seq & 0xFFFFFFFF}
            if "A" in flags:
                packet["ack"] = side.ack & 0xFFFFFFFF
            if rng.random() > 0.06:  # else it is sent again
                side.seq += len(payload) + ("S" in flags) + ("F" in flags)
        if side.iface:
            return {"inject": {"iface": side.iface, "packet": packet}}
        return {"send_local": {"packet": packet}}

    def _question(self) -> Step:
        """What is asked of everybody, or of one."""
        rng, plan = self.rng, self.plan
        own = rng.choice(OWN[4])
        everybody = own.rsplit(".", 1)[0] + ".255"
        packet = {"src": own, "dst": rng.choice((everybody, everybody, "255.255.255.255", INSIDE[4][0])),
                  "proto": "udp", "sport": rng.choice((plan.port, 4000)), "dport": plan.port,
                  "payload": "who"}  # fmt: skip
        return {"send_local": {"packet": packet}}

    def _announced(self, expectation: Expectation) -> Step:
        """A packet that fulfils an expectation, or nearly."""
        rng, plan = self.rng, self.plan
        src = expectation.src or 0
        if expectation.src is None or expectation.mask not in (0xFFFFFFFF, (1 << 128) - 1) or rng.random() < 0.1:
            told = rng.choice((*INSIDE[plan.family], *OUTSIDE[plan.family]))
        else:
            told = show(src, plan.family)
        sport = expectation.sport if expectation.sport is not None else rng.choice((4000, 5060, 7078, 20, 9000))
        key = Tuple(plan.family, 0, expectation.dst, expectation.proto, sport, expectation.dport)
        return self._of_tuple(key, told)

    def _of_tuple(self, key: Tuple, src: str = "") -> Step:
        rng = self.rng
        src = src or show(key.src, key.family)
        packet: Step = {"src": src, "dst": show(key.dst, key.family), "proto": key.proto}
        if key.proto == GRE:
            packet |= {"proto": "gre", "payload_hex": self._gre(key.dport).hex()}
        else:
            sport = key.sport if rng.random() < 0.9 else 999
            packet |= {"proto": "tcp" if key.proto == 6 else "udp", "sport": sport, "dport": key.dport}
        if key.proto == 6:
            packet |= {"flags": rng.choice(("S", "S", "SA", "A")), "seq": 1, "ack": 2}
        elif key.proto == 17:
            packet["payload"] = rng.choice(("media", "x", "OPTIONS sip:x SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n"))
        if src in OWN[key.family] or src == SPARE[key.family]:
            return {"send_local": {"packet": packet}}
        inside = src.startswith(("10.8.0.", "fd00:2:"))
        return {"inject": {"iface": "eth1" if inside else "eth0", "packet": packet}}

    def _gre(self, call: int) -> bytes:
        rng = self.rng
        head = rng.choice((b"\x30\x01\x88\x0b",) * 12 + (b"\x30\x00\x88\x0b", b"\x30\x01\x08\x00", b"\x30\x02\x88\x0b"))
        data = head + b"\0\4" + call.to_bytes(2, "big") + b"\0\0\0\1ppp!"
        return data if rng.random() < 0.93 else data[: rng.randrange(9)]

    def _foreseen(self, body: bytes, proto: int) -> bool:
        if proto not in (6, 17) or len(body) < 4:
            return True
        return all(int.from_bytes(body[at : at + 2], "big") in KNOWN_PORTS for at in (0, 2))

    # -- what came of it ---------------------------------------------------------------------------------

    def learn(self, talk: Talk, turn: int, emitted: list[dict[str, Any]]) -> None:
        """The other side has seen what came out."""
        other = talk.sides[1 - turn]
        for frame in emitted:
            data = bytes.fromhex(frame["frame_hex"])[14:]
            src, dst, proto, body = parts(data)
            if not self._foreseen(body, proto):
                self.talks.remove(talk)  # a port was drawn, as the kernel would draw another
                return
            if frame["iface"] != other.iface or dst != other.address or proto not in (6, 17) or len(body) < 8:
                continue
            other.peer, other.peer_port = src, int.from_bytes(body[:2], "big")
            payload = body[8:]
            if proto == 6 and len(body) >= 20:
                payload = body[(body[12] >> 4) * 4 :]
                other.ack = int.from_bytes(body[4:8], "big") + len(payload) + (body[13] >> 1 & 1) + (body[13] & 1)
            if talk.pptp:
                talk.pptp.heard_from(turn, payload)
