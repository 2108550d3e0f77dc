"""Entries and events in the program's own words (libnetfilter_conntrack: snprintf_default.c; ``-o save``)."""

from __future__ import annotations

import time

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.record import NEW, SECOND, UPDATE, Entry, Expected
from iptables_emu.conntrack.tuples import Tuple
from iptables_emu.model.address import show
from iptables_emu.text.conntrack.match import BY_PORTS, translated
from iptables_emu.text.conntrack.protocols import named

FAMILY = {4: ("ipv4", 2), 6: ("ipv6", 10)}
_SAVED_STATUS = (("EXPECTED", t.EXPECTED), ("SEEN_REPLY", t.SEEN_REPLY), ("ASSURED", t.ASSURED),
                 ("FIXED_TIMEOUT", t.FIXED_TIMEOUT))  # fmt: skip


def addresses(key: Tuple, before: str = "") -> str:
    return f"{before}src={show(key.src, key.family)} {before}dst={show(key.dst, key.family)} "


def transport(key: Tuple) -> str:
    """Ports, keys or ICMP's words."""
    if key.proto == t.GRE:
        return f"srckey=0x{key.sport:x} dstkey=0x{key.dport:x} "
    if key.proto in BY_PORTS:
        return f"sport={key.sport} dport={key.dport} "
    if key.proto in (t.ICMP, t.ICMPV6):
        return f"type={key.dport >> 8} code={key.dport & 255} id={key.sport} "
    return ""


def line(
    entry: Entry, now: int, kind: str = "", *, extended: bool = False, ident: bool = False, times: bool = False
) -> str:
    """One entry; ``kind`` is the event's. ``times``: tell when it began and ended (ns since the epoch)."""
    o, r, s = entry.original, entry.reply, entry.status
    out = f"{f'[{kind.upper()}]':>9} " if kind else ""
    if extended:
        name, number = FAMILY[o.family]
        out += f"{name:<8} {number} "
    out += f"{named(o.proto):<8} {o.proto} "
    out += f"{entry.timeout} " if entry.timeout is not None else ""
    out += f"{entry.tcp or entry.sctp} " if entry.tcp or entry.sctp else ""
    out += addresses(o) + transport(o) + _zone(entry, "orig") + _counters(entry, 0)
    out += "" if s & t.SEEN_REPLY else "[UNREPLIED] "
    out += addresses(r) + transport(r) + _zone(entry, "reply") + _counters(entry, 1)
    if s & (t.HW_OFFLOAD | t.OFFLOAD):
        out += "[HW_OFFLOAD] " if s & t.HW_OFFLOAD else "[OFFLOAD] "
    elif s & t.ASSURED:
        out += "[ASSURED] "
    out += f"mark={entry.mark} " if entry.mark is not None else ""
    out += f"zone={entry.zone} " if entry.zone and not entry.zone_dir else ""
    if entry.start:
        out += f"delta-time={(entry.stop or now) // SECOND - entry.start // SECOND} "
        if times:
            out += f"[start={_clock(entry.start)}] " + (f"[stop={_clock(entry.stop)}] " if entry.stop else "")
    out += f"helper={entry.helper} " if entry.helper else ""
    out += f"use={entry.use} " if entry.use is not None else ""
    out += f"id={entry.ident} " if ident else ""
    return out[:-1]


def _clock(at: int) -> str:
    return time.ctime(at // SECOND)


def _zone(entry: Entry, side: str) -> str:
    return f"zone-{side}={entry.zone} " if entry.zone and entry.zone_dir == side else ""


def _counters(entry: Entry, direction: int) -> str:
    if not entry.counters:
        return ""
    packets, octets = entry.counters[2 * direction : 2 * direction + 2]
    return f"packets={packets} bytes={octets} "


def saved(entry: Entry, kind: str) -> str:
    """The entry as the command that would make, change or delete it (ct_save_snprintf)."""
    o, r = entry.original, entry.reply
    words = ["-A" if kind == NEW else "-U" if kind == UPDATE else "-D"]
    if entry.timeout is not None:
        words += ["-t", str(entry.timeout)]
    words += ["-u", ",".join(name for name, bit in _SAVED_STATUS if entry.status & bit) or "UNSET"]
    if entry.zone:
        words += [{"": "-w", "orig": "--orig-zone", "reply": "--reply-zone"}[entry.zone_dir], str(entry.zone)]
    # the real program sees another IPv6 address only in what it sees of an IPv4 one: the family does not matter here
    dnat, snat = translated(entry, "dnat")[0], translated(entry, "snat")[0]
    words += ["-s", show(o.src, o.family), "-d", show(o.dst, o.family)]
    words += ["-g" if dnat else "-r", show(r.src, r.family), "-n" if snat else "-q", show(r.dst, r.family)]
    name = named(o.proto)
    words += ["-p", name if name != "unknown" else str(o.proto), *_saved_protocol(entry, name)]
    return " ".join(words)


def _saved_protocol(entry: Entry, name: str) -> list[str]:
    o, r = entry.original, entry.reply
    if o.proto in (t.ICMP, t.ICMPV6):
        told = {"type": o.dport >> 8, "code": o.dport & 255, "id": o.sport}
        return [word for what, value in told.items() for word in (f"--{name}-{what}", str(value))]
    if o.proto not in BY_PORTS or name == "dccp":
        return []
    first = ("--srckey", "--dstkey", "--reply-key-src", "--reply-key-dst")
    names = first if o.proto == t.GRE else ("--sport", "--dport", "--reply-port-src", "--reply-port-dst")
    ports = zip(names, (o.sport, o.dport, r.sport, r.dport), strict=True)
    words = [word for name, port in ports for word in (name, str(port))]
    if entry.tcp or entry.sctp:
        words += ["--state", entry.tcp or entry.sctp]
    if entry.tags:
        words += ["--orig-vtag", str(entry.tags[0]), "--reply-vtag", str(entry.tags[1])]
    return words


def expected_line(one: Expected, kind: str = "") -> str:
    """One expectation (nfexp_snprintf)."""
    out = f"{f'[{kind.upper()}]':>9} " if kind else ""
    out += f"{one.timeout} proto={one.tuple.proto} " + addresses(one.tuple) + transport(one.tuple)
    mask, master = one.mask, one.master
    out += f"mask-src={show(mask.src, mask.family)} mask-dst={show(mask.dst, mask.family)} " + transport(mask)
    out += f"master-src={show(master.src, master.family)} master-dst={show(master.dst, master.family)} "
    out += transport(master) + (f"{one.flags} " if one.flags else "")
    return out + f"class={one.klass} helper={one.helper}"
