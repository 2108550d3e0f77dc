"""Scenarios on the emulator: the same steps as on the kernel, the same observation."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from iptables_emu.conntrack.record import Entry, Expected, Told
from iptables_emu.engine.emulator import Engine
from iptables_emu.host.host import Address, Host, HostError, parse_address
from iptables_emu.host.sockets import Socket
from iptables_emu.model.address import network
from iptables_emu.model.rule import Rule
from iptables_emu.model.ruleset import Objects, Ruleset
from iptables_emu.packet.build import build, ethernet
from iptables_emu.packet.packet import Malformed, Packet
from iptables_emu.scenario.observe import Step
from iptables_emu.text.conntrack.output import expected_line, line
from iptables_emu.text.conntrack.program import run_conntrack
from iptables_emu.text.ipset.load import load_sets
from iptables_emu.text.load import LoadError, load_dump
from iptables_emu.text.programs import Environment, run_program
from iptables_emu.text.save import rule_text, save_ruleset

# what the kernel's side runs: its mistakes belong to what the kernel is told
RELEASE_AT_HAND = "1.8.9"
STEP_NS = 1_000_000  # virtual time of one step
START_NS = 1_700_000_000_000_000_000


def emulate(scenario: Mapping[str, Any], now: int = START_NS) -> dict[str, Any]:
    """The observation of one scenario that begins at ``now``, in nanoseconds since the epoch."""
    return Run(scenario, now).run()


def event_lines(told: Sequence[Told]) -> list[str]:
    """Events as ``conntrack -E`` prints them, then those of expectations."""
    flows = [line(one.entry, one.at, one.kind) for one in told if isinstance(one.entry, Entry)]
    return flows + [expected_line(one.entry, one.kind) for one in told if isinstance(one.entry, Expected)]


class Run:
    """One scenario on its way."""

    def __init__(self, scenario: Mapping[str, Any], now: int = START_NS) -> None:
        self.scenario, self.start = scenario, now
        self.personality = scenario.get("backend", "nft")
        self.ruleset = Ruleset(self.personality)
        self.ruleset.release = RELEASE_AT_HAND
        self.host = Host.from_dict(scenario.get("host", {}))
        self.host.sockets.known = True  # steps open them
        self.ruleset.objects = Objects(frozenset(self.host.accounts), self.host.cgroups)
        load_sets(self.host, now)
        if "ipv6" in scenario.get("rulesets", {}):
            self.enable_ipv6()
        self.note = ""
        everything = json.dumps([scenario.get("rulesets", {}), scenario.get("steps", [])])
        self.expectations_told = "expect" in scenario.get("observe", ()) or "helper" in everything

    def enable_ipv6(self) -> None:
        if not self.host.ipv6:
            self.host.ipv6 = True
            self.host.add_address("lo", Address(6, 1, 128))

    def run(self) -> dict[str, Any]:
        load = self.load()
        observation: dict[str, Any] = {"load": load, "steps": []}
        if load["rc"] == 0:
            self.engine = Engine(self.ruleset, self.host, self.write, seed=self.scenario.get("seed", 0), now=self.start)
            core = self.engine.machine.conntrack
            core.now = self.start
            core.record.wanted = "events" in self.scenario.get("observe", ())
            for number, step in enumerate(self.scenario.get("steps", [])):
                try:
                    observation["steps"].append(self.step(step))
                except HostError as error:
                    raise HostError(f"steps[{number}]: {error}") from None
            if core.record.wanted:
                observation["events"] = event_lines(core.record.told)
        if "save" not in self.scenario.get("observe", ["conntrack", "save"]):
            return observation
        observation["save"] = save_ruleset(self.ruleset, 4, counters=True)
        if self.host.ipv6:
            observation["save6"] = save_ruleset(self.ruleset, 6, counters=True)
        return observation

    def load(self) -> dict[str, Any]:
        counters = bool({"-c", "--counters"} & set(self.scenario.get("restore_options", ())))
        for family, text in self.scenario.get("rulesets", {}).items():
            whole = text if isinstance(text, str) else "".join(f"{line}\n" for line in text)
            try:
                number = 4 if family == "ipv4" else 6
                load_dump(whole, number, self.personality, counters=counters, ruleset=self.ruleset, sets=self.sets)
            except LoadError as error:
                return {"rc": error.status, "stderr": error.message}
        return {"rc": 0, "stderr": ""}

    @property
    def sets(self) -> dict[str, int]:
        """The ipsets that rules may name, with their families."""
        return dict(self.host.ipsets.families())

    def write(self, chain: str, rule: Rule) -> str:
        return rule_text(chain, rule.spec, self.personality, RELEASE_AT_HAND)

    def step(self, step: Mapping[str, Any]) -> dict[str, Any]:
        ((action, value),) = step.items()
        machine = self.engine.machine
        machine.advance(STEP_NS)
        machine.conntrack.invalid.clear()
        self.note = ""
        gathered = Step(self.personality)
        do: Callable[[Any], None] = getattr(self, f"do_{action}")
        do(value)
        gathered.feed(machine.events)
        machine.events.clear()
        seen = gathered.finish()
        seen["conntrack_invalid"] = list(machine.conntrack.invalid)
        if "conntrack" in self.scenario.get("observe", ["conntrack", "save"]):
            seen["conntrack"] = [c.text(machine.now) for c in machine.conntrack.table]
        if self.expectations_told:
            seen["expectations"] = [e.text(machine.now) for e in machine.conntrack.expectations.waiting]
        if self.note:
            seen["note"] = self.note
        return seen

    # -- steps -----------------------------------------------------------------------------------

    def frame(self, step: Mapping[str, Any]) -> bytes:
        if "frame_hex" in step:
            return bytes.fromhex(step["frame_hex"])
        data = bytes.fromhex(step["packet_hex"]) if "packet_hex" in step else build(step["packet"])
        interface = self.host.interfaces[step["iface"]]
        dst = bytes.fromhex(step["dst_mac"].replace(":", "")) if "dst_mac" in step else interface.mac
        return ethernet(data, dst, interface.far_mac)

    def do_inject(self, value: Any) -> None:
        for one in value if isinstance(value, list) else [value]:
            self.engine.path.receive(one["iface"], self.frame(one))

    def do_send_local(self, value: Mapping[str, Any]) -> None:
        data = bytes.fromhex(value["packet_hex"]) if "packet_hex" in value else build(value["packet"])
        try:
            pkt = Packet(data, mark=value.get("mark", 0))
        except Malformed as error:
            self.note = f"send: {error}"
            return
        self.local(pkt, value)

    def local(self, pkt: Packet, value: Mapping[str, Any]) -> None:
        pkt.uid, pkt.gid, pkt.socket = value.get("uid", 0), value.get("gid", 0), True
        pkt.sk = Socket(pkt.proto, 0, pkt.family, mark=pkt.mark, uid=pkt.uid, gid=pkt.gid, classid=0, cgroup="")
        if pkt.family == 4:
            pkt.data[2:4] = len(pkt.data).to_bytes(2, "big")
            pkt.refresh_ip_checksum()
        problem = self.engine.path.send_local(pkt)
        if problem:
            self.note = f"send: {problem}"

    def do_flush(self, value: str) -> None:
        self.engine.machine.conntrack.flush()

    def do_sleep(self, seconds: float) -> None:
        self.engine.machine.advance(int(seconds * 1_000_000_000))

    def do_listen(self, value: Mapping[str, Any]) -> None:
        address = value.get("address", "0.0.0.0")
        family, number, _ = network(address)
        proto = {"tcp": 6, "udp": 17}[value["proto"]]
        self.host.sockets.add(
            Socket(proto, value["port"], family, number or None, transparent=value.get("transparent", False),
                   mark=value.get("mark", 0), uid=value.get("uid", 0), gid=value.get("gid", 0), classid=0, cgroup="")
        )  # fmt: skip

    def do_connect(self, value: Mapping[str, Any]) -> None:
        """A real socket: a UDP datagram, or a TCP SYN."""
        from iptables_emu.engine.sockets import connect_packet

        pkt = connect_packet(self.host, self.engine, value)
        if isinstance(pkt, str):
            self.note = f"connect: {pkt}"
            return
        pkt.uid, pkt.gid, pkt.socket = value.get("uid", 0), value.get("gid", 0), True
        sport, dport = (int.from_bytes(pkt.data[at : at + 2], "big") for at in (pkt.l4, pkt.l4 + 2))
        self.host.sockets.add(
            Socket(pkt.proto, sport, pkt.family, pkt.src, pkt.dst, dport, mark=value.get("mark", 0), uid=pkt.uid,
                   gid=pkt.gid, classid=0, cgroup="")
        )  # fmt: skip
        problem = self.engine.path.send_local(pkt, bound=True)
        if problem:
            self.note = f"connect: {problem}"

    def do_sysctl(self, values: Mapping[str, Any]) -> None:
        self.host.sysctls.update(values)

    def do_ip_addr_change(self, value: Mapping[str, Any]) -> None:
        self.address(value["op"], value["dev"], value["address"])

    def address(self, op: str, dev: str, text: str) -> None:
        """An address comes or goes; masqueraded connections that used it go with it."""
        address = parse_address(text)
        if op == "add":
            self.host.add_address(dev, address)
        elif self.host.remove_address(dev, address):
            core = self.engine.machine.conntrack
            for conn in core.table:
                if conn.masq_dev == dev and conn.reply.dst == address.value:
                    core.kill(conn)

    def do_ip(self, arguments: str) -> None:
        """The ``ip`` commands that scenarios use: addr, route and rule, add and del."""
        from iptables_emu.host.ip_command import run_ip

        run_ip(self.host, shlex.split(arguments), self.address)

    def do_conntrack(self, arguments: str) -> None:
        core = self.engine.machine.conntrack
        self.note = run_conntrack(["conntrack", *shlex.split(arguments)], core, lambda: "").stderr.strip()

    def do_iptables(self, arguments: str) -> None:
        env = Environment(self.ruleset, sets=self.sets)
        if self.personality == "legacy":
            for table in self.ruleset.tables.values():
                for chain in table.chains.values():
                    for rule in chain.rules:
                        rule.program = None  # the whole table is made anew
        result = run_program(["iptables", *shlex.split(arguments)], env)
        self.note = result.stderr.strip()
        self.engine.machine.reload()
