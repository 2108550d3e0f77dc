"""The library's front door: a ruleset, a host, packets in, traces out."""

from __future__ import annotations

import time
from collections.abc import Callable

from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.listing import read_listing
from iptables_emu.engine import bridge
from iptables_emu.engine.assume import Assumptions
from iptables_emu.engine.emulator import Engine
from iptables_emu.host.host import Host
from iptables_emu.host.infer import infer_host
from iptables_emu.host.ipset.sets import IpSets
from iptables_emu.host.place import place
from iptables_emu.model.rule import Rule
from iptables_emu.model.ruleset import Ruleset
from iptables_emu.packet.packet import Packet
from iptables_emu.text.save import rule_text
from iptables_emu.trace.events import Dropped, Event, Fate, PacketStart
from iptables_emu.trace.trace import Trace

ETHERTYPE = {4: b"\x08\0", 6: b"\x86\xdd"}


class Emulator:
    """Sends packets through a ruleset on a host. State (connections, counters, limits) lasts between packets.

    ``host`` without interfaces is inferred from the rules and the first packet, and says so in ``notes``.
    ``now`` is the virtual time in seconds since the epoch (default: this moment); ``seed`` makes what the
    kernel draws at random repeatable; ``assume`` answers for matches that cannot be known. ``sets`` are the
    ipsets of a host that brings none.
    """

    def __init__(
        self, ruleset: Ruleset, host: Host | None = None, *, seed: int = 0, now: float | None = None,
        explain: bool = True, assume: Assumptions | None = None, sets: IpSets | None = None,
    ) -> None:  # fmt: skip
        self.ruleset = ruleset
        self.seed, self.explain = seed, explain
        self.assume = assume or Assumptions()
        self.now = int((time.time() if now is None else now) * 1_000_000_000)
        self.host, self.sets = host, sets
        self.inferred = host is None or len(host.interfaces) == 1
        self.engine: Engine | None = None
        self.fill: Callable[[Conntrack], None] = lambda core: None  # what the connections are at the beginning
        self.unknown: list[str] = []  # what is not known of the host's connections

    @property
    def notes(self) -> list[str]:
        """What was assumed of the host."""
        return list(self.host.notes) if self.inferred and self.host else []

    def send(self, packet: Packet) -> Trace:
        """One packet: from the wire of ``packet.iif``, or from this host (``packet.socket``).

        Without either it comes from where its source is (:func:`iptables_emu.host.place.place`). Raises HostError.
        """
        packet = packet.copy()
        engine = self.engine or self._start(packet)
        host = engine.machine.host
        if self.inferred and packet.iif not in ("", *host.interfaces):
            host.add_interface(packet.iif)
        place(packet, host)
        packet.oif = ""
        eth = b""
        if packet.socket:
            _belongs(packet, host)
            events = engine.send_local(packet) or _ended(packet, "local", engine.note or "the socket cannot send it")
        else:
            interface = host.interfaces[packet.iif]
            source = packet.eth[6:12] if len(packet.eth) >= 12 and any(packet.eth[6:12]) else interface.far_mac
            eth = bridge.addressed(host, interface, packet) + source + ETHERTYPE[packet.family]
            engine.next_mark = packet.mark
            events = engine.receive(packet.iif, eth + bytes(packet.data)) or _unseen(packet, host)
        return self._trace(events, eth)

    def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        if self.engine:
            self.engine.machine.advance(int(seconds * 1_000_000_000))

    def _start(self, packet: Packet) -> Engine:
        if self.inferred:
            self.host, packet.iif = infer_host(
                self.ruleset, family=packet.family, src=packet.src, dst=packet.dst, iif=packet.iif, oif=packet.oif,
                local=packet.socket,
            )  # fmt: skip
            packet.socket = not packet.iif
        assert self.host is not None
        if self.host.ipset_text:
            from iptables_emu.text.ipset.load import load_sets

            load_sets(self.host, self.now)
        elif self.sets is not None:
            self.host.ipsets = self.sets
        self.engine = Engine(self.ruleset, self.host, self._write, seed=self.seed, now=self.now, explain=self.explain)
        self.engine.machine.conntrack.now = self.now
        self.engine.machine.assume = self.assume
        self.fill(self.engine.machine.conntrack)
        if self.host.connections:
            self.unknown = read_listing(self.host.connections, self.engine.machine.conntrack)
        return self.engine

    def _write(self, chain: str, rule: Rule) -> str:
        return rule_text(chain, rule.spec, self.ruleset.personality)

    def _trace(self, events: list[Event], eth: bytes) -> Trace:
        sizes = {(t.name, c.name): len(c.rules) for t in self.ruleset.ordered(4) for c in t.chains.values()}
        return Trace(tuple(events), sizes, eth)


def _belongs(packet: Packet, host: Host) -> None:
    """A packet that nobody was named for belongs to whom its socket does."""
    sender = host.sockets.sender(packet)
    if sender is not None:
        packet.uid = sender.uid if packet.uid is None else packet.uid
        packet.gid = sender.gid if packet.gid is None else packet.gid
        packet.mark = packet.mark or sender.mark


def _unseen(packet: Packet, host: Host) -> list[Event]:
    """The events of a packet that no hook gets to see."""
    if not host.interfaces[packet.iif].up:
        why = f"{packet.iif} is down"
    elif packet.family == 6 and not host.ipv6:
        why = "the host has no IPv6: no interface has an address of it"
    elif packet.mf or packet.frag_offset:
        why = "a fragment: it waits for the others"
    else:
        why = "a header that makes no sense is dropped before any hook"
    return _ended(packet, "wire", why)


def _ended(packet: Packet, origin: str, why: str) -> list[Event]:
    """A packet that ends where it starts."""
    start = PacketStart(1, origin, packet.iif, "", bytes(packet.data))
    return [start, Dropped(1, "", "", why), Fate(1, "dropped", why)]
