"""Walk one table for one packet (kernel: ipt_do_table, nft_do_chain). All it needs is in the arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.engine.verdict import Flow, Verdict
from iptables_emu.trace.events import ChainEnd, PolicyHit, RuleHit, RuleSkipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from iptables_emu.compile.program import Code, Program
    from iptables_emu.engine.context import Context
    from iptables_emu.model.rule import Rule
    from iptables_emu.model.ruleset import Chain, Table
    from iptables_emu.packet.packet import Packet

    Write = Callable[[str, Rule], str]

_FINAL = {"ACCEPT": Verdict.ACCEPT, "DROP": Verdict.DROP, "QUEUE": Verdict.QUEUE}


def traverse(program: Program, table: Table, chain: Chain, pkt: Packet, ctx: Context, write: Write) -> Verdict:
    """The table's verdict; rules and policies are counted. ``write`` gives a rule's text for the trace."""
    at = 0
    callers: list[tuple[Chain, int]] = []
    while True:
        if at == len(chain.rules):
            if chain.policy is None:
                ctx.emit(ChainEnd(pkt.number, table.name, chain.name))
                chain, at = callers.pop()
                continue
            if chain.counts:
                chain.packets += 1
                chain.bytes += len(pkt.data)
            ctx.emit(PolicyHit(pkt.number, table.name, chain.name, chain.policy.lower()))
            return _FINAL[chain.policy]
        rule, at = chain.rules[at], at + 1
        code = program.code(rule)
        matched = _matches(code, pkt, ctx, chain, at, rule, table, write)
        if matched is None:
            ctx.emit(RuleHit(pkt.number, table.name, chain.name, at, write(chain.name, rule), "unknown"))
            return Verdict.UNKNOWN
        # a match may hold for a packet that it drops: xtables counts the rule and runs its target before that
        runs = matched and ctx.personality == "legacy"
        if pkt.hotdrop and not runs:
            ctx.emit(RuleHit(pkt.number, table.name, chain.name, at, write(chain.name, rule), "drop", hotdrop=True))
            pkt.hotdrop = False
            return Verdict.DROP
        if not matched:
            continue
        rule.packets += 1
        rule.bytes += len(pkt.data)
        text = write(chain.name, rule)
        place = len(ctx.sink)
        outcome, told = _act(code, pkt, ctx, text)
        # the rule is told before what its target did
        queue = ctx.queue if told == "queue" else None
        ctx.sink.insert(place, RuleHit(pkt.number, table.name, chain.name, at, text, told, code.target, queue=queue))
        if pkt.hotdrop:
            pkt.hotdrop = False
            return Verdict.DROP
        if isinstance(outcome, Verdict):
            return outcome
        if outcome is Flow.RETURN:
            if callers:
                chain, at = callers.pop()
            else:
                at = len(chain.rules)
        elif code.chain:
            if not code.goto:
                callers.append((chain, at))
            elif not callers:
                callers.append((chain, len(chain.rules)))  # after goto the end of the chain is the caller's end
            chain, at = table.chains[code.chain], 0


def _matches(
    code: Code, pkt: Packet, ctx: Context, chain: Chain, index: int, rule: Rule, table: Table, write: Write
) -> bool | None:
    """Whether a rule matches; None when it cannot be known. A miss is told with its first failing clause."""
    for clause in code.clauses:
        if not clause.test(pkt, ctx.iif, ctx.oif):
            if ctx.explain:
                have = clause.have(pkt, ctx.iif, ctx.oif)
                ctx.emit(
                    RuleSkipped(pkt.number, table.name, chain.name, index, write(chain.name, rule), clause.label, have)
                )
            return False
    for match, test in code.tests:
        good = test(pkt, ctx)
        if good:
            continue
        if good is None:
            text = write(chain.name, rule)
            good = ctx.assume(text)
            known = f"cannot be known{match.MISSING}" if good is None else f"assumed to {'match' if good else 'miss'}"
            ctx.note(pkt, f"-m {match.NAME} of {table.name} {chain.name} {index}: {known}")
            if good is None:
                return None
            if good:
                continue
        if ctx.explain and not pkt.hotdrop:
            why = match.why_not(pkt, ctx, code.base) or ("", "")
            label = why[0] or f"-m {match.saved_name}{match.save(code.base)}"
            ctx.emit(RuleSkipped(pkt.number, table.name, chain.name, index, write(chain.name, rule), label, why[1]))
        return False
    return True


def _act(code: Code, pkt: Packet, ctx: Context, text: str) -> tuple[Verdict | Flow, str]:
    """(outcome, the verdict as the trace tells it)."""
    if code.verdict:
        if code.verdict == "RETURN":
            return Flow.RETURN, "return"
        return _FINAL[code.verdict], code.verdict.lower()
    if code.chain:
        return Flow.CONTINUE, f"{'goto' if code.goto else 'jump'}:{code.chain}"
    if code.action is None:
        return Flow.CONTINUE, "continue"
    ctx.rule = text
    outcome = code.action(pkt, ctx)
    ctx.rule = ""
    return outcome, outcome.value
