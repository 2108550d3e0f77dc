"""What a command says of an entry, as the message to the kernel (libnetfilter_conntrack: build_mnl.c, objopt.c)."""

from __future__ import annotations

from typing import Any

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.ctnetlink import Request
from iptables_emu.conntrack.record import Entry
from iptables_emu.conntrack.tcp_state import by_hand
from iptables_emu.conntrack.tuples import Tuple
from iptables_emu.text.conntrack.command import Command
from iptables_emu.text.conntrack.match import BY_PORTS

_NAT_PORTS = frozenset({t.TCP, t.UDP})


def tuple_of(attrs: dict[str, Any], end: str) -> Tuple | None:
    """One direction ("orig", "repl") of what was said; what was not is 0. None: nothing was said of it."""
    names = [f"{end}_{what}" for what in ("l3", "l4", "src", "dst", "sport", "dport")]
    if end == "orig":
        names += ["icmp_type", "icmp_code", "icmp_id"]
    if not any(name in attrs for name in names):
        return None
    family, proto = attrs.get(f"{end}_l3", 0), attrs.get(f"{end}_l4", 0)
    src, dst, sport, dport = (attrs.get(f"{end}_{what}", 0) for what in ("src", "dst", "sport", "dport"))
    if proto in (t.ICMP, t.ICMPV6):
        kind = attrs.get("icmp_type" if end == "orig" else "icmp_reply_type", 0)
        sport, dport = attrs.get("icmp_id", 0), kind << 8 | attrs.get("icmp_code", 0)
    elif proto not in BY_PORTS or proto == 33:
        sport = dport = 0  # the kernel knows no DCCP any more
    return Tuple(family, src, dst, proto, sport, dport)


def complete(attrs: dict[str, Any], options: set[str]) -> dict[str, Any]:
    """With the other direction, when only one was said (NFCT_SOPT_SETUP_REPLY, _ORIGINAL)."""
    out = dict(attrs)
    has = {"orig": bool(options & {"s", "d"}), "repl": bool(options & {"r", "q"})}
    for end, other in (("repl", "orig"), ("orig", "repl")):
        if has[other] and not has[end]:
            for mine, theirs in (("l3", "l3"), ("l4", "l4"), ("src", "dst"), ("dst", "src"), ("sport", "dport"),
                                 ("dport", "sport")):  # fmt: skip
                out.pop(f"{end}_{mine}", None)
                if f"{other}_{theirs}" in out:
                    out[f"{end}_{mine}"] = out[f"{other}_{theirs}"]
    return out


def tcp_flags(command: Command) -> int:
    if command.handler is None or command.handler.name != "tcp":
        return 0
    return by_hand(command.ct.get("tcp", "NONE"))


def to_create(command: Command) -> Request:
    ct = complete(command.ct, command.options)
    proto = ct.get("orig_l4", 0)
    nat: dict[str, tuple[int | None, int | None] | None] = {}
    for end in ("snat", "dnat"):
        port = ct.get(f"{end}_port") if proto in _NAT_PORTS else None
        nat[end] = (ct[end], port) if end in ct else None
    return Request(
        tuple_of(ct, "orig"), tuple_of(ct, "repl"), ct.get("zone", 0), ct.get("orig_zone"), ct.get("repl_zone"),
        ct.get("timeout"), ct.get("status"), command.mark if "m" in command.options else None, None,
        ct.get("tcp", ""), tcp_flags(command), ct.get("sctp", ""), (ct.get("orig_vtag"), ct.get("repl_vtag")),
        nat["snat"], nat["dnat"],
    )  # fmt: skip


def to_get(command: Command) -> Request:
    ct = command.ct
    reply = tuple_of(ct, "repl")
    return Request(tuple_of(ct, "orig"), reply, ct.get("zone", 0), ct.get("orig_zone"), ct.get("repl_zone"))


def changed(command: Command, entry: Entry) -> dict[str, Any]:
    """An entry's attributes as an update would make them (mnl_nfct_update_cb)."""
    kept = ("timeout", "tcp", "sctp", "orig_vtag", "repl_vtag", "id", "zone", "orig_zone", "repl_zone")
    out = {name: value for name, value in command.ct.items() if name in kept}
    if "m" in command.options:
        out["mark"] = (entry.mark or 0) & ~command.mark_mask & 0xFFFFFFFF ^ command.mark
    if "u" in command.options:
        out["status"] = entry.status | command.ct.get("status", 0)
    if ">" in command.options and entry.labels:
        out["labels"] = 0
    return out


def to_change(command: Command, entry: Entry, new: dict[str, Any]) -> Request:
    """The zone is not said: the real program finds entries of none but the first."""
    return Request(
        entry.original, timeout=new.get("timeout"), status=new.get("status"), mark=new.get("mark"),
        labels=new.get("labels"), tcp=new.get("tcp", ""),
        flags=tcp_flags(command) if entry.original.proto == t.TCP else 0, sctp=new.get("sctp", ""),
        tags=(new.get("orig_vtag"), new.get("repl_vtag")),
    )  # fmt: skip
