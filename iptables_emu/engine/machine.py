"""The host at work: hooks in their order, and the way between them.

:class:`Machine` holds what outlives a packet; the parts of the way are in input, output and local.
"""

from __future__ import annotations

import random
from contextlib import nullcontext
from typing import TYPE_CHECKING

from iptables_emu.conntrack import nat
from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.helpers.payload import adjust
from iptables_emu.conntrack.table import SECOND
from iptables_emu.engine import fragments6, hooks
from iptables_emu.engine.assume import Assumptions
from iptables_emu.engine.context import Context
from iptables_emu.engine.fragments import Reassembly
from iptables_emu.engine.queue import answer
from iptables_emu.engine.traverse import traverse
from iptables_emu.engine.verdict import Verdict
from iptables_emu.model.address import show
from iptables_emu.packet.packet import ICMP, ICMPV6, Packet
from iptables_emu.trace.events import (
    Confirmed,
    Dropped,
    Event,
    Fate,
    HookEntered,
    PacketStart,
    Rewritten,
    TableEntered,
    TableLeft,
    Tracked,
)  # fmt: skip

if TYPE_CHECKING:
    from iptables_emu.compile.program import Program
    from iptables_emu.engine.traverse import Write
    from iptables_emu.host.host import Host
    from iptables_emu.model.ruleset import Chain, Table

MOST_ROUNDS = 100  # of one table, for a listener that says "repeat"


class Machine:
    """One host with its rules. ``now`` is virtual time, ns since the epoch."""

    def __init__(self, program: Program, host: Host, write: Write, *, seed: int = 0, now: int = 0) -> None:
        self.program, self.host, self.write = program, host, write
        self.rng = host.multipath.rng = random.Random(seed)
        self.now = now
        host.exceptions.clock = lambda: self.now
        self.conntrack = Conntrack(host.sysctls, self.rng)
        self.fragments = Reassembly()
        self.fragments6 = fragments6.Reassembly6()
        self.events: list[Event] = []
        self.explain = False
        self.assume = Assumptions()
        self.numbers = 0
        self.tracking = {4: False, 6: False}
        self.defrag = {4: False, 6: False}
        self.nat_active = {4: False, 6: False}
        self.reload()

    @property
    def personality(self) -> str:
        return self.program.ruleset.personality

    def reload(self) -> None:
        """Take notice of a changed ruleset."""
        for family in (4, 6):
            self.tracking[family] = self.program.needs_conntrack(family)
            self.defrag[family] = self.defrag[family] or self.program.needs_defrag(family)
            table = self.program.ruleset.get(family, "nat")
            self.nat_active[family] = table is not None and any(
                c.hooked for c in table.chains.values() if c.policy is not None
            )
        if self.program.accounts():
            self.host.sysctls.update({"net.netfilter.nf_conntrack_acct": 1})
        self.steps = {hook: hooks.steps(hook, self.personality) for hook in hooks.HOOKS}
        self.program.now = self.now
        self.program.prepare()

    def gather(self, pkt: Packet, user: str) -> bool:
        """Conntrack's reassembly (ipv4_conntrack_defrag); False: the packet waits, or is dropped.

        What conntrack has seen already, which comes back by lo, stays as it is."""
        if not self.defrag[pkt.family] or pkt.ct is not None or pkt.untracked:
            return True
        if pkt.family == 6:
            return self._gather6(pkt, user)
        return not (pkt.mf or pkt.frag_offset) or self.fragments.add(pkt, user, self.now) is not None

    def _gather6(self, pkt: Packet, user: str) -> bool:
        if pkt.length == 40 or fragments6.head_is_cut(pkt, 40, pkt.data[6]):
            return True
        try:
            piece = fragments6.read(pkt)
            if piece is None:
                return True
            return self.fragments6.add(pkt, piece, user, self.now) is not None
        except fragments6.Refused as refused:
            return refused.pass_on

    def advance(self, nanoseconds: int) -> None:
        """Let virtual time pass."""
        self.now += nanoseconds
        self.conntrack.now = self.now
        self.conntrack.expire()
        self._give_up_fragments()
        self.path.wait_over()

    def _give_up_fragments(self) -> None:
        """Fragments that have waited too long; who sent a first one may be told so (ip_expire)."""
        get = self.host.sysctls.get
        for user, queue in self.fragments.expired(self.now, get("net.ipv4.ipfrag_time") * SECOND):
            if queue.first is not None and queue.iif:
                queue.first.iif = queue.iif
                decision = self.path.routing.input(queue.first)
                queue.first.routed_here = decision.ends_here
                if decision.kind == "local" or (user == "local" and decision.kind == "forward"):
                    self.path.error(queue.first, 11, 1)
        patience, conntracks = get("net.ipv6.ip6frag_time"), get("net.netfilter.nf_conntrack_frag6_timeout")
        for first in self.fragments6.expired(self.now, patience * SECOND, conntracks * SECOND):
            self.path.error(first, 3, 1)

    # -- events ----------------------------------------------------------------------------------

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def start(self, pkt: Packet, origin: str, looped_from: int | None = None) -> None:
        """The packet enters netfilter: it gets its number."""
        self.numbers += 1
        pkt.number = self.numbers
        self.emit(PacketStart(pkt.number, origin, pkt.iif, pkt.oif, bytes(pkt.data), looped_from))

    def end(self, pkt: Packet, fate: str, text: str) -> None:
        self.emit(Fate(pkt.number, fate, text))

    def drop(self, pkt: Packet, hook: str, where: str, why: str) -> None:
        """The packet ends; ``where`` is "" when no rule or policy did it."""
        self.emit(Dropped(pkt.number, hook, where, why))
        self.end(pkt, "dropped", why)

    # -- hooks -----------------------------------------------------------------------------------

    def context(self, hook: str, iif: str, oif: str) -> Context:
        ctx = Context(self.host, self.conntrack, self.path, self.rng, self.personality)
        ctx.hook, ctx.iif, ctx.oif = hook, iif, oif
        ctx.now, ctx.sink, ctx.explain, ctx.assume = self.now, self.events, self.explain, self.assume
        return ctx

    path: Path  # set by Engine

    def hook(self, hook: str, pkt: Packet, iif: str, oif: str) -> Verdict:
        """Everything that hangs at one hook; the packet's end is told when it does not pass."""
        ctx = self.context(hook, iif, oif)
        self.emit(HookEntered(pkt.number, hook, iif, oif, pkt.mark, bytes(pkt.data)))
        for step in self.steps[hook]:
            if step == "conntrack":
                verdict = self._conntrack(pkt, hook)
            elif step == "nat":
                verdict = self._nat(pkt, ctx)
            elif step == "helper":
                verdict = self.conntrack.help(pkt, ctx) if self.tracking[pkt.family] else Verdict.ACCEPT
            elif step == "confirm":
                verdict = self._confirm(pkt)
            else:
                verdict = self._table(step, pkt, ctx)
            if verdict is not Verdict.ACCEPT:
                if verdict is Verdict.DROP and pkt.ct is not None and pkt.ctinfo < t.IS_REPLY:
                    self.conntrack.release(pkt.ct)
                self._stopped(pkt, hook, step, verdict)
                return verdict
        return Verdict.ACCEPT

    def _stopped(self, pkt: Packet, hook: str, step: str, verdict: Verdict) -> None:
        if verdict is Verdict.UNKNOWN:
            self.end(pkt, "unknown", "it depends on what is not given here; the note above says on what")
        elif verdict is Verdict.STOLEN:
            self.end(pkt, "stolen", f"taken by {step} {hook}")
        elif verdict is Verdict.QUEUE:
            self.drop(pkt, hook, "", f"queued in {step} {hook}, and nobody listens")
        elif step == "confirm":
            self.drop(pkt, hook, "confirm", "the translated tuple was taken")
        elif step == "helper":
            self.drop(pkt, hook, "helper", "dropped by the connection's helper")
        elif step == "conntrack":
            self.drop(pkt, hook, "", f"dropped by {step}")
        else:
            self.drop(pkt, hook, f"{step} {hook}", f"dropped in {step} {hook}")

    def _table(self, name: str, pkt: Packet, ctx: Context) -> Verdict:
        found = self.program.base_chain(pkt.family, name, ctx.hook)
        if found is None:
            return Verdict.ACCEPT
        table, chain = found
        ctx.table = name
        turned = False
        for _ in range(MOST_ROUNDS):
            self.emit(TableEntered(pkt.number, ctx.hook, name, ctx.iif, ctx.oif, pkt.mark, bytes(pkt.data)))
            verdict, turns = self._walk(table, chain, pkt, ctx)
            turned |= turns
            self.emit(TableLeft(pkt.number, ctx.hook, name, verdict.value if verdict else "repeat"))
            if verdict is not None:
                return self.path.reroute(pkt) if turned and verdict is Verdict.ACCEPT else verdict
        ctx.note(pkt, f"the listener has had {name} walked {MOST_ROUNDS} times: it never ends")
        return Verdict.UNKNOWN

    def _walk(self, table: Table, chain: Chain, pkt: Packet, ctx: Context) -> tuple[Verdict | None, bool]:
        """The table's verdict, or that of the program behind a queue (None: walk it again); and whether the packet of
        this host has changed so that it must be routed again."""
        before = _routed_by(pkt)
        ctx.queue = None
        with self.path.backlog.held() if self.personality == "legacy" else nullcontext():  # ipt_do_table
            verdict = traverse(self.program, table, chain, pkt, ctx, self.write)
        queued = ctx.queued = verdict is Verdict.QUEUE
        local = ctx.hook == "OUTPUT"
        looks = table.name == "mangle" and (not queued or self.personality == "legacy")
        turned = local and looks and before != _routed_by(pkt)
        if not queued:
            return verdict, turned
        before = _routed_by(pkt)[:4]
        answered = answer(pkt, ctx)
        return answered, turned or (local and before != _routed_by(pkt)[:4])  # nf_reroute

    # -- conntrack and nat -------------------------------------------------------------------------

    def _conntrack(self, pkt: Packet, hook: str) -> Verdict:
        if not self.tracking[pkt.family]:
            return Verdict.ACCEPT
        core = self.conntrack
        core.now = self.now
        core.expire()
        known = pkt.ct is not None and pkt.ct.template is None
        verdict = core.track(pkt, hook)
        if not known:
            entry = "" if pkt.ct is None else f"{pkt.ct.original.text()} / {pkt.ct.reply.text()}"
            self.emit(Tracked(pkt.number, core.state_name(pkt), entry, core.reason))
        return verdict

    def _nat(self, pkt: Packet, ctx: Context) -> Verdict:
        """nf_nat_inet_fn: the table for a connection's first packet, then the translation for every packet."""
        conn = pkt.ct
        if not self.nat_active[pkt.family] or not self.tracking[pkt.family] or conn is None:
            return Verdict.ACCEPT
        hook, manip = ctx.hook, nat.manip_of(ctx.hook)
        related = pkt.ctinfo in (t.RELATED, t.RELATED_REPLY)
        before = (pkt.src, pkt.dst, bytes(pkt.data[pkt.l4 : pkt.l4 + 4]), bytes(pkt.data[pkt.l4 + 4 : pkt.l4 + 8]))
        if related and pkt.proto in (ICMP, ICMPV6):
            if not nat.translate_error(conn, pkt.ctinfo, hook, pkt):
                return Verdict.DROP
            self._told_nat(pkt, before, "")
            return self._after_nat(pkt, hook)
        if (pkt.ctinfo == t.NEW or related) and not nat.initialised(conn, manip):
            ctx.queued = False
            verdict = self._table("nat", pkt, ctx)
            if verdict is not Verdict.ACCEPT or ctx.queued:  # what comes back from a queue goes on behind nat
                return verdict
            if not nat.initialised(conn, manip):
                nat.null_binding(self.conntrack, conn, manip)
        elif conn.masq_dev and hook == "POSTROUTING" and pkt.ctinfo < t.IS_REPLY and conn.masq_dev != ctx.oif:
            self.conntrack.kill(conn)
            return Verdict.DROP
        if not nat.translate(conn, pkt.ctinfo, hook, pkt):
            return Verdict.DROP
        self._told_nat(pkt, before, "")
        return self._after_nat(pkt, hook)

    def _after_nat(self, pkt: Packet, hook: str) -> Verdict:
        """A packet of this host to a translated destination is routed again (nf_nat_ipv4_local_fn)."""
        conn = pkt.ct
        side = 1 if pkt.ctinfo >= t.IS_REPLY else 0
        if hook == "OUTPUT" and conn is not None and conn.tuples[side].dst != conn.tuples[1 - side].src:
            return self.path.reroute(pkt)
        return Verdict.ACCEPT

    def _told_nat(self, pkt: Packet, before: tuple[int, int, bytes, bytes], by: str) -> None:
        src, dst, ports, rest = before
        f = pkt.family
        if src != pkt.src:
            self.emit(Rewritten(pkt.number, "source", show(src, f), show(pkt.src, f), by))
        if dst != pkt.dst:
            self.emit(Rewritten(pkt.number, "destination", show(dst, f), show(pkt.dst, f), by))
        now = bytes(pkt.data[pkt.l4 : pkt.l4 + 4])
        if pkt.proto in t.WITH_PORTS and not pkt.frag_offset and len(now) == 4:
            for at, word in ((0, "source port"), (2, "destination port")):
                old, new = (int.from_bytes(b[at : at + 2], "big") for b in (ports, now))
                if old != new:
                    self.emit(Rewritten(pkt.number, word, str(old), str(new), by))
        elif pkt.proto in (ICMP, ICMPV6, t.GRE):
            what, at = ("call id", 2) if pkt.proto == t.GRE else ("id", 0)
            old = int.from_bytes(rest[at : at + 2], "big")
            new = int.from_bytes(pkt.data[pkt.l4 + 4 + at : pkt.l4 + 6 + at], "big")
            if old != new:
                self.emit(Rewritten(pkt.number, what, str(old), str(new), by))

    def _confirm(self, pkt: Packet) -> Verdict:
        if not self.tracking[pkt.family]:
            return Verdict.ACCEPT
        if pkt.ct is not None:
            adjust(pkt.ct, pkt)
        fresh = pkt.ct is not None and not pkt.ct.confirmed
        verdict = self.conntrack.confirm(pkt)
        if fresh and verdict is Verdict.ACCEPT and pkt.ct is not None and pkt.ct.confirmed:
            self.emit(Confirmed(pkt.number, pkt.ct.text(self.now)))
        return verdict


def _routed_by(pkt: Packet) -> tuple[int, ...]:
    """What mangle OUTPUT compares: a change means another route (ipt_mangle_out, ip6t_mangle_out)."""
    return pkt.src, pkt.dst, pkt.mark, pkt.tos, pkt.ttl if pkt.family == 6 else 0


if TYPE_CHECKING:
    from iptables_emu.engine.path import Path
