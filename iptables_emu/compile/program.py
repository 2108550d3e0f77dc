"""Rules into closures. A rule's closures live with the rule, so that its state lasts as long as it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iptables_emu.ext.api import Action, Base, Compile, Match, Test
from iptables_emu.model.address import prefix_mask, show, show_mask
from iptables_emu.model.rule import Rule, RuleSpec
from iptables_emu.model.ruleset import Chain, Ruleset, Table
from iptables_emu.options.names import protocol_name

if TYPE_CHECKING:
    from iptables_emu.packet.packet import Packet

__all__ = ["Clause", "Code", "Program", "prefix_mask"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition of the rule itself: how it is written, its test, the packet's value for people."""

    label: str
    test: Callable[[Packet, str, str], bool]
    have: Callable[[Packet, str, str], str]


@dataclass(slots=True)
class Code:
    """A compiled rule."""

    clauses: tuple[Clause, ...]
    tests: tuple[tuple[Match, Test], ...]
    verdict: str  # ACCEPT DROP QUEUE RETURN, or ""
    chain: str  # of a jump, or ""
    goto: bool
    action: Action | None
    target: str
    base: Base


@dataclass(slots=True)
class Program:
    """A ruleset ready to run."""

    ruleset: Ruleset
    now: int = 0  # when the rules were loaded

    def code(self, rule: Rule) -> Code:
        """The rule's closures, made at its first use."""
        if rule.program is None:
            rule.program = compile_rule(rule.spec, self.ruleset.personality, self.ruleset.shared, self.now)
        code: Code = rule.program
        return code

    def prepare(self) -> None:
        """Compile the rules that set up shared state when they are loaded (as checkentry does)."""
        for table in self.ruleset.tables.values():
            for chain in table.chains.values():
                for rule in chain.rules:
                    if _any_extension(rule.spec, "NEEDS_SETUP"):
                        self.code(rule)

    def base_chain(self, family: int, table: str, hook: str) -> tuple[Table, Chain] | None:
        """The chain that hangs at a hook, if it exists in the kernel."""
        found = self.ruleset.get(family, table)
        chain = found.chains.get(hook) if found else None
        return (found, chain) if found and chain and chain.hooked else None

    def needs_conntrack(self, family: int) -> bool:
        """Whether a rule of the family asks for connection tracking."""
        return any(_any_extension(rule.spec, "NEEDS_CONNTRACK") for _, _, _, rule in self.ruleset.rules(family))

    def accounts(self) -> bool:
        """Whether a rule switches on the counters of connections."""
        rules = (rule for family in (4, 6) for _, _, _, rule in self.ruleset.rules(family))
        return any(_any_extension(rule.spec, "NEEDS_ACCOUNTING") for rule in rules)

    def needs_defrag(self, family: int) -> bool:
        return self.needs_conntrack(family) or any(
            _any_extension(rule.spec, "NEEDS_DEFRAG") for _, _, _, rule in self.ruleset.rules(family)
        )


def _any_extension(spec: RuleSpec, what: str) -> bool:
    if not spec.matches and spec.target is None:
        return False
    if spec.target is not None and getattr(spec.target, what):
        return True
    return any(getattr(m, what) for m in spec.matches)


def compile_rule(spec: RuleSpec, personality: str, shared: dict[tuple[str, str], Any], now: int = 0) -> Code:
    """One rule."""
    base = Base(spec.family, spec.proto, spec.not_proto, personality)
    cx = Compile(base, shared, now)
    return Code(
        tuple(_clauses(spec, personality)),
        tuple((match, match.compile(cx)) for match in spec.matches),
        spec.verdict,
        spec.chain,
        spec.goto,
        spec.target.compile(cx) if spec.target is not None else None,
        spec.target.NAME if spec.target is not None else spec.jump,
        base,
    )


def _clauses(spec: RuleSpec, personality: str) -> list[Clause]:
    out = []
    family = spec.family
    if spec.src_mask or spec.not_src:
        out.append(_address("-s", "src", spec.src, spec.src_mask, spec.not_src, family))
    if spec.dst_mask or spec.not_dst:
        out.append(_address("-d", "dst", spec.dst, spec.dst_mask, spec.not_dst, family))
    if spec.iif:
        out.append(_interface("-i", 0, spec.iif, spec.not_iif))
    if spec.oif:
        out.append(_interface("-o", 1, spec.oif, spec.not_oif))
    if spec.proto or (spec.proto_given and spec.not_proto):
        out.append(_protocol(spec, personality))
    if spec.fragment:
        inverted = spec.not_fragment
        out.append(Clause(f"{'! ' if inverted else ''}-f", lambda p, i, o: bool(p.frag_offset) is not inverted,
                          lambda p, i, o: f"fragment offset {p.frag_offset}"))  # fmt: skip
    return out


def _address(option: str, name: str, value: int, mask: int, inverted: bool, family: int) -> Clause:
    label = f"{'! ' if inverted else ''}{option} {show(value, family)}/{show_mask(mask, family)}"
    word = "source" if name == "src" else "destination"

    def test(pkt: Packet, iif: str, oif: str) -> bool:
        return (getattr(pkt, name) & mask == value) is not inverted

    return Clause(label, test, lambda p, i, o: f"{word} {show(getattr(p, name), p.family)}")


def _interface(option: str, side: int, name: str, inverted: bool) -> Clause:
    prefix = name[:-1] if name.endswith("+") else None
    word = "out of" if side else "in by"

    def test(pkt: Packet, iif: str, oif: str) -> bool:
        have = oif if side else iif
        return (have.startswith(prefix) if prefix is not None else have == name) is not inverted

    def have(pkt: Packet, iif: str, oif: str) -> str:
        return f"{word} {(oif if side else iif) or 'no interface'}"

    return Clause(f"{'! ' if inverted else ''}{option} {name}", test, have)


def _protocol(spec: RuleSpec, personality: str) -> Clause:
    number, inverted = spec.proto, spec.not_proto
    native = personality == "nft"

    def protocol(pkt: Packet) -> int:
        # nft stops at an AH header, ip6_tables walks on
        return pkt.proto_before_ah if native else pkt.proto

    def test(pkt: Packet, iif: str, oif: str) -> bool:
        if pkt.truncated:  # the chain of IPv6 headers does not lead to a protocol
            pkt.hotdrop = pkt.hotdrop or not native
            return False
        return (protocol(pkt) == number) is not inverted

    def have(pkt: Packet, iif: str, oif: str) -> str:
        value = protocol(pkt)
        return f"protocol {(value and protocol_name(value, lookup=True)) or value}"

    return Clause(f"{'! ' if inverted else ''}-p {protocol_name(number, lookup=False) or number}", test, have)
