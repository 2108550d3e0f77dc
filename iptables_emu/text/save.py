"""Rules and tables as iptables-save prints them (iptables.c: print_rule4, iptables-save.c)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from iptables_emu.model.address import mask_bits, show, show_mask
from iptables_emu.model.rule import Rule, RuleSpec
from iptables_emu.model.ruleset import Chain, Ruleset, Table
from iptables_emu.options.names import CHAIN_NAME, protocol_name
from iptables_emu.options.spec import Base
from iptables_emu.text.errors import Exit


def base_of(spec: RuleSpec, personality: str, release: str = "1.8.11") -> Base:
    """What extensions may see of a rule."""
    return Base(spec.family, spec.proto, spec.not_proto, personality, release)


def rule_text(chain: str, spec: RuleSpec, personality: str, release: str = "1.8.11") -> str:
    """``-A CHAIN ...`` without counters."""
    return f"-A {chain}{match_text(spec, personality, release)}{target_text(spec, personality)}"


def match_text(spec: RuleSpec, personality: str, release: str = "1.8.11") -> str:
    """Everything before ``-j``, each part with a blank before it. 1.8.9 looks up the name of every protocol."""
    out = _address(spec.family, "-s", spec.src, spec.src_mask, spec.not_src)
    out += _address(spec.family, "-d", spec.dst, spec.dst_mask, spec.not_dst)
    for option, name, inverted in (("-i", spec.iif, spec.not_iif), ("-o", spec.oif, spec.not_oif)):
        if name and (name != "+" or inverted):
            out += f"{' !' if inverted else ''} {option} {name}"
    if spec.proto:
        known = CHAIN_NAME.get(spec.proto) if release != "1.8.9" else protocol_name(spec.proto, lookup=True)
        out += f"{' !' if spec.not_proto else ''} -p {known or spec.proto}"
    if spec.fragment:
        out += f"{' !' if spec.not_fragment else ''} -f"
    if spec.matches:
        base = base_of(spec, personality, release)
        for match in spec.matches:
            out += f" -m {match.saved_name}{match.save(base)}"
    return out


def target_text(spec: RuleSpec, personality: str) -> str:
    """`` -j TARGET options``, or ""."""
    if spec.target is not None:
        return f" -j {spec.target.saved_name}{spec.target.save(base_of(spec, personality))}"
    if not spec.jump:
        return ""
    return f" -{'g' if spec.goto else 'j'} {spec.jump}"


def _address(family: int, option: str, value: int, mask: int, inverted: bool) -> str:
    if not inverted and (not mask and not value if family == 4 else mask_bits(mask, 6) == 0):
        return ""
    return f"{' !' if inverted else ''} {option} {show(value, family)}/{show_mask(mask, family)}"


def save_table(table: Table, personality: str, *, counters: bool, release: str = "1.8.11") -> str:
    """``*table`` to ``COMMIT``; ``counters`` adds those of the rules (-c)."""
    out = [f"*{table.name}\n"]
    chains = table.listed()
    for chain in chains:
        if chain.policy is None:
            out.append(f":{chain.name} - [0:0]\n")
        else:
            out.append(f":{chain.name} {chain.policy} [{chain.packets}:{chain.bytes}]\n")
    for chain in chains:
        name = chain.name
        for rule in chain.rules:
            text = rule_text(name, rule.spec, personality, release)
            out.append(f"[{rule.packets}:{rule.bytes}] {text}\n" if counters else f"{text}\n")
    out.append("COMMIT\n")
    return "".join(out)


def save_ruleset(ruleset: Ruleset, family: int, *, counters: bool) -> str:
    """All tables of a family, without comment lines."""
    tables = ruleset.ordered(family)
    return "".join(save_table(t, ruleset.personality, counters=counters, release=ruleset.release) for t in tables)


def remarks(chains: Iterable[Chain], number: int = 0) -> list[str]:
    """What goes to stderr while these rules (or only that one of each chain) are printed."""
    return [
        match.REMARK
        for chain in chains
        for rule in (chain.rules[number - 1 : number] if number else chain.rules)
        for match in rule.spec.matches
        if match.REMARK
    ]


def list_rules(
    table: Table, chains: list[Chain], number: int, verbose: bool, personality: str, pending: frozenset[Rule]
) -> Iterator[str]:
    """``-S``: declarations, then rules; with ``number`` only that rule; ``verbose`` adds ``-c packets bytes``.

    Raises Exit where a rule that iptables-legacy has not committed jumps to a chain: libiptc still holds the
    chain's name as that of a target, for which there is no library.
    """
    if not number:
        for chain in chains:
            if chain.policy is None:
                yield f"-N {chain.name}\n"
            else:
                count = f" -c {chain.packets} {chain.bytes}" if verbose else ""
                yield f"-P {chain.name} {chain.policy}{count}\n"
    for chain in chains:
        for index, rule in enumerate(chain.rules, 1):
            if not number or number == index:
                yield _listed_matches(chain.name, rule, verbose, personality)
                if rule in pending and rule.spec.jump in table.chains:
                    raise Exit(1, f"Can't find library for target `{rule.spec.jump}'\n")
                yield target_text(rule.spec, personality) + "\n"


def _listed_matches(chain: str, rule: Rule, verbose: bool, personality: str) -> str:
    count = f" -c {rule.packets} {rule.bytes}" if verbose else ""
    return f"-A {chain}{match_text(rule.spec, personality)}{count}"
