"""``-L``: rules in columns (xshared.c: print_header, print_rule_details ...), and the line of ``-v`` commands."""

from __future__ import annotations

from dataclasses import dataclass

from iptables_emu.model.address import FULL, mask_bits, show
from iptables_emu.model.rule import Rule, RuleSpec
from iptables_emu.model.ruleset import Chain, Table
from iptables_emu.options.names import NETWORKS, protocol_name
from iptables_emu.options.types import blen
from iptables_emu.text.save import base_of


@dataclass(frozen=True, slots=True)
class Format:
    """The options of a listing."""

    numeric: bool = False
    verbose: bool = False
    exact: bool = False
    line_numbers: bool = False
    personality: str = "nft"


def list_table(table: Table, chains: list[Chain], number: int, fmt: Format) -> str:
    """The listing of some chains; with ``number`` one rule of each without headers."""
    references = table.references() if not number else {}
    blocks = []
    for chain in chains:
        rows = [] if number else [_header(chain, references.get(chain.name, 0), fmt)]
        for index, rule in enumerate(chain.rules, 1):
            if not number or number == index:
                rows.append(rule_row(rule, index, fmt))
        blocks.append("".join(rows))
    return "\n".join(blocks)


def count_text(number: int, exact: bool, width: int = 5) -> str:
    """A counter with its unit, as wide as its column, and a blank (xtables_print_num)."""
    if exact:
        return f"{number:>8} " if width else f"{number} "
    if number <= 99999:
        return f"{number:>{width}} " if width else f"{number} "
    for unit in "KMGT":
        # 2^64 wraps around, as in the C arithmetic
        number = (number + 500 & 0xFFFFFFFFFFFFFFFF) // 1000
        if number <= 9999 or unit == "T":
            return f"{number:>{width - 1}}{unit} " if width else f"{number}{unit} "
    raise AssertionError("unreachable")


def _header(chain: Chain, references: int, fmt: Format) -> str:
    out = f"Chain {chain.name}"
    if chain.policy is None:
        out += f" ({references} references)\n"
    elif fmt.verbose:
        packets, octets = (count_text(n, fmt.exact, 0) for n in (chain.packets, chain.bytes))
        out += f" (policy {chain.policy} {packets}packets, {octets}bytes)\n"
    else:
        out += f" (policy {chain.policy})\n"
    if fmt.line_numbers:
        out += f"{'num':<4} "
    if fmt.verbose:
        out += f"{'pkts':>8} {'bytes':>10} " if fmt.exact else f"{'pkts':>5} {'bytes':>5} "
    out += f"{'target':<9}  prot opt"
    if fmt.verbose:
        out += f" {'in':<6} {'out':<6} "
    return out + f" {'source':<19}  {'destination':<19} \n"


def rule_row(rule: Rule, index: int, fmt: Format) -> str:
    """One line of the listing."""
    spec = rule.spec
    out = f"{index:<4} " if fmt.line_numbers else ""
    if fmt.verbose:
        out += count_text(rule.packets, fmt.exact) + count_text(rule.bytes, fmt.exact)
    proto = _protocol(spec.proto, not fmt.numeric)
    out += f"{pad(_target_name(spec), 9)} {'!' if spec.not_proto else ' '}{proto:<4} {_fragment(spec)} "
    if fmt.verbose:
        iif, oif = _interface(spec.iif, spec.not_iif, fmt), _interface(spec.oif, spec.not_oif, fmt)
        out += f" {pad(iif, 6)} {pad(oif, 6)} "
    for value, mask, inverted in ((spec.src, spec.src_mask, spec.not_src), (spec.dst, spec.dst_mask, spec.not_dst)):
        out += f"{'!' if inverted else ' '}{address_text(value, mask, spec.family, fmt.numeric):<19} "
    return out + _extensions(spec, fmt) + "\n"


def _protocol(number: int, lookup: bool) -> str:
    """The column ``prot``, for which iptables looks at one byte of the number (``-p mptcp`` is 262)."""
    return protocol_name(number & 0xFF, lookup) or str(number & 0xFF)


def pad(text: str, width: int) -> str:
    """The text with blanks up to ``width`` bytes, as printf counts."""
    return text.ljust(width) if text.isascii() else text + " " * (width - blen(text))


def verbose_line(spec: RuleSpec, personality: str) -> str:
    """What -A, -I ... print with -v (format FMT_PRINT_RULE)."""
    fmt = Format(numeric=True, verbose=True, personality=personality)
    proto = _protocol(spec.proto, False)
    out = f"{_target_name(spec)} {'!' if spec.not_proto else ' '}{proto} opt {_fragment(spec)} "
    out += f"in {_interface(spec.iif, spec.not_iif, fmt)} out {_interface(spec.oif, spec.not_oif, fmt)} "
    out += f"{'!' if spec.not_src else ' '}{address_text(spec.src, spec.src_mask, spec.family, True)} "
    out += f"{'!' if spec.not_dst else ' '}-> {address_text(spec.dst, spec.dst_mask, spec.family, True)}"
    return out + "  " + _extensions(spec, fmt) + "\n"


def _target_name(spec: RuleSpec) -> str:
    return spec.jump if spec.target is None else spec.target.LISTED_AS or spec.target.saved_name


def _fragment(spec: RuleSpec) -> str:
    return f"{'!' if spec.not_fragment else '-'}{'f' if spec.fragment else '-'}"


def _interface(name: str, inverted: bool, fmt: Format) -> str:
    return f"{'!' if inverted else ''}{name or ('*' if fmt.numeric else 'any')}"


def address_text(value: int, mask: int, family: int, numeric: bool) -> str:
    """An address with its mask as ``-L`` shows it."""
    if not numeric and (mask == 0 if family == 4 else value == 0):
        return "anywhere"
    bits = mask_bits(mask, family)
    tail = "" if mask == FULL[family] else f"/{bits if bits is not None else show(mask, family)}"
    return (show(value, family) if numeric else _host_name(value, family)) + tail


def _host_name(value: int, family: int) -> str:
    """The names that every machine has; no look-up leaves this program."""
    if family == 4:
        if value == 0x7F000001:
            return "localhost"
        for name, number in NETWORKS.items():
            if number == value:
                return name
    return show(value, family)


def _extensions(spec: RuleSpec, fmt: Format) -> str:
    out = "[goto] " if spec.goto else ""
    base = base_of(spec, fmt.personality)
    for match in spec.matches:
        out += match.listing(fmt.numeric, base)
    if spec.target is not None:
        out += spec.target.listing(fmt.numeric, base)
    return out
