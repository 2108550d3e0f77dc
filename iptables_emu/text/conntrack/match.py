"""Which entries are meant (libnetfilter_conntrack: nfct_cmp; conntrack-tools: nfct_filter)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.record import Entry
from iptables_emu.conntrack.tuples import Tuple
from iptables_emu.text.conntrack import tables
from iptables_emu.text.conntrack.command import Command

ORIG = ("orig_l3", "orig_l4", "orig_src", "orig_dst", "orig_sport", "orig_dport", "icmp_type", "icmp_code", "icmp_id")
REPL = ("repl_l3", "repl_l4", "repl_src", "repl_dst", "repl_sport", "repl_dport")
META = ("id", "mark", "timeout", "status", "tcp", "sctp", "orig_vtag", "repl_vtag", "dccp", "dccp_role", "zone",
        "orig_zone", "repl_zone", "labels")  # fmt: skip
_ZONES = ("zone", "orig_zone", "repl_zone")
BY_PORTS = t.WITH_PORTS | {33, t.GRE}


def attributes(entry: Entry) -> dict[str, Any]:
    """What an entry's message tells, by the names that commands use."""
    out = {**_side("orig", entry.original), **_side("repl", entry.reply), "id": entry.ident, "status": entry.status}
    o = entry.original
    if o.proto in (t.ICMP, t.ICMPV6):
        out |= {"icmp_type": o.dport >> 8, "icmp_code": o.dport & 255, "icmp_id": o.sport}
    told = {"timeout": entry.timeout, "mark": entry.mark, "tcp": entry.tcp or None, "sctp": entry.sctp or None,
            "labels": entry.labels or None}  # fmt: skip
    out |= {name: value for name, value in told.items() if value is not None}
    if entry.zone:
        out[{"": "zone", "orig": "orig_zone", "reply": "repl_zone"}[entry.zone_dir]] = entry.zone
    if entry.tags:
        out |= {"orig_vtag": entry.tags[0], "repl_vtag": entry.tags[1]}
    return out


def _side(end: str, key: Tuple) -> dict[str, Any]:
    out = {f"{end}_l3": key.family, f"{end}_l4": key.proto, f"{end}_src": key.src, f"{end}_dst": key.dst}
    if key.proto in t.WITH_PORTS:  # GRE's keys are not compared, and the kernel does not tell DCCP's ports any more
        out |= {f"{end}_sport": key.sport, f"{end}_dport": key.dport}
    return out


def agrees(wanted: dict[str, Any], has: dict[str, Any], names: Iterable[str], *, fully: bool = False) -> bool:
    """Whether what both tell is equal; ``fully``: and all that is wanted is told, but for the zone 0."""
    keys = ("orig_sport", "orig_dport", "repl_sport", "repl_dport") if wanted.get("orig_l4") == t.GRE else ()
    for name in names:
        if name not in wanted or name in keys or (name not in has and not fully):
            continue
        value, other = wanted[name], has.get(name, 0 if name in _ZONES else None)
        if other is None or (value & other if name == "status" else other) != value:
            return False
    return True


def wanted(command: Command) -> dict[str, Any]:
    """What entries are compared with: an address that has a mask is looked at apart."""
    out = dict(command.ct)
    for letter, key in (("{", "orig_src"), ("}", "orig_dst")):
        if letter in command.options:
            out.pop(key, None)
    return out


def fits(command: Command, entry: Entry, asked: dict[str, Any]) -> bool:
    """Whether a command means an entry (nfct_filter); ``asked`` is what :func:`wanted` says."""
    has = attributes(entry)
    if not nat_fits(command, entry) or not network_fits(command, has):
        return False
    if "m" in command.options and (entry.mark is None or entry.mark & command.mark_mask != command.mark):
        return False
    return not command.options & tables.COMPARED or agrees(asked, has, (*ORIG, *REPL, *META), fully=True)


def network_fits(command: Command, has: dict[str, Any]) -> bool:
    """Source and destination under their masks."""
    for letter, key in (("{", "orig_src"), ("}", "orig_dst")):
        if letter in command.options:
            mask = command.mask.get(key, 0)
            if has["orig_l3"] != command.family or has[key] & mask != command.ct.get(key, 0) & mask:
                return False
    return True


def translated(entry: Entry, end: str) -> tuple[bool, bool]:
    """Whether the address and the port of an end ("snat", "dnat") are another one's."""
    o, r = entry.original, entry.reply
    if end == "snat":
        done, address, port = t.SRC_NAT_DONE, r.dst != o.src, r.dport != o.sport
    else:
        done, address, port = t.DST_NAT_DONE, r.src != o.dst, r.sport != o.dport
    if o.proto in (t.ICMP, t.ICMPV6):
        port = (r.dport, o.sport) != (0, 0) if end == "snat" else (r.sport, o.dport) != (0, 0)
    done_so = bool(entry.status & done)
    return done_so and address, done_so and port


def nat_fits(command: Command, entry: Entry) -> bool:
    """What -n, -g and -j ask for (filter_nat)."""
    options = command.options
    has = {}
    for letter, end in (("n", "snat"), ("g", "dnat")):
        if not options & {letter, "j"}:
            continue
        address, port = translated(entry, end)
        new = entry.reply.dst if end == "snat" else entry.reply.src
        new_port = entry.reply.dport if end == "snat" else entry.reply.sport
        by_address = end in command.ct and command.ct[f"{end}_family"] == 4
        by_port = f"{end}_port" in command.ct
        if by_address or by_port:
            has[end] = (not by_address or (address and new == command.ct[end])) and (
                not by_port or (port and new_port == command.ct[f"{end}_port"])
            )
        else:
            has[end] = address or port
    return not has or (any(has.values()) if "j" in options else all(has.values()))
