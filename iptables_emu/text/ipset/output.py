"""Listings: plain, as commands, and XML (libipset: print.c, session.c)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cmp_to_key
from typing import Any

from iptables_emu.host.ipset.base import BaseSet
from iptables_emu.host.ipset.bitmaps import BitmapSet
from iptables_emu.host.ipset.element import Entry
from iptables_emu.host.ipset.hashes import HashSet
from iptables_emu.host.ipset.lists import ListSet
from iptables_emu.host.ipset.sets import IpSets
from iptables_emu.model.address import show
from iptables_emu.options import names
from iptables_emu.options.numbers import U32
from iptables_emu.text.ipset.tables import TYPES, Arg, icmp_name

ICMP, ICMPV6 = 1, 58
Values = dict[str, Any]


def element_text(kind: str, family: int, data: Values) -> str:
    """An element as ipset writes it (of a list's it says "after" even where "before" was asked)."""
    parts: list[str] = []
    for _, option in TYPES[kind].parts:
        if option not in data and parts:
            break
        parts.append(_part(option, family, data))
    text = ",".join(parts)
    return f"{text} after {data['nameref']}" if "nameref" in data else text


def _part(option: str, family: int, data: Values) -> str:
    if option in ("ip", "ip2"):
        return _ip(option, family, data)
    if option == "port":
        return _port(family, data)
    if option == "ether":
        return ":".join(f"{b:02X}" for b in data["ether"].to_bytes(6, "big"))
    if option == "mark":
        return f"0x{data['mark']:08x}"
    if option == "iface":
        return f"{'physdev:' if data.get('physdev') else ''}{data['iface']}"
    return str(data[option])


def _ip(option: str, family: int, data: Values) -> str:
    bits = data.get("cidr" if option == "ip" else "cidr2")
    length = "" if bits in (None, 128 if family == 6 else 32) else f"/{bits}"
    text = f"{show(data.get(option, 0), family or 4)}{length}"
    return f"{text}-{show(data['ip_to'], family or 4)}{length}" if "ip_to" in data else text


def _port(family: int, data: Values) -> str:
    proto, port = data.get("proto"), data.get("port", 0)
    prefix = ""
    if proto is not None:
        prefix = f"{names.protocol_name(proto, True) or proto if proto else 'ip'}:"
        if proto in (ICMP, ICMPV6):
            return prefix + (icmp_name(4 if proto == ICMP else 6, port) or f"{port >> 8}/{port & 255}")
    return f"{prefix}{port}-{data['port_to']}" if "port_to" in data else f"{prefix}{port}"


def values_of(one: BaseSet, entry: Entry, sets: IpSets) -> Values:
    """An entry's options as the kernel tells them."""
    key, kind = entry.key, one.kind.name
    if isinstance(one, ListSet):
        member = sets.at(key.ip)
        return {"name": member.name if member else ""}
    out: Values = {}
    for _, option in TYPES[kind].parts:
        if option == "ether":
            if entry.filled:
                out["ether"] = key.mac
        elif option == "port" and kind != "bitmap:port":
            out["proto"], out["port"] = key.proto, key.port
        else:
            out[option] = getattr(key, option)
    if one.kind.nets:
        if kind != "hash:ip,port,net":
            out["cidr"] = key.cidr
        if "ip2" in out:
            out["cidr2"] = key.cidr2
    out["physdev"] = key.physdev
    return out


def _shown(one: BaseSet, entry: Entry, now: int) -> Iterator[tuple[str, str | None]]:
    """(word, its argument) of what an entry has besides its value, in the order of a listing."""
    ext = one.ext
    if ext.timed:
        yield "timeout", str(entry.left(now))
    if entry.nomatch:
        yield "nomatch", None
    if entry.key.wildcard:
        yield "wildcard", None
    if ext.counters:
        yield "packets", str(entry.packets)
        yield "bytes", str(entry.octets)
    if ext.comments and entry.comment:
        yield "comment", f'"{entry.comment}"'
    if ext.skbinfo and (entry.mark or entry.mark_mask):
        mask = "" if entry.mark_mask == U32 else f"/0x{entry.mark_mask:x}"
        yield "skbmark", f"0x{entry.mark:x}{mask}"
    if ext.skbinfo and entry.prio:
        yield "skbprio", f"{entry.prio >> 16:x}:{entry.prio & 0xFFFF:x}"
    if ext.skbinfo and entry.queue:
        yield "skbqueue", str(entry.queue)


def _header_values(one: BaseSet) -> dict[str, str | None]:
    """What the kernel tells of a set, as text by option."""
    out: dict[str, str | None] = {}
    if isinstance(one, HashSet):
        out |= {"hashsize": str(1 << one.table.bits), "maxelem": str(one.maxelem),
                "bucketsize": str(one.table.bucketsize), "initval": f"0x{one.initval:08x}"}  # fmt: skip
        if one.family:
            out["family"] = "inet" if one.family == 4 else "inet6"
        if one.kind.marked:
            out["markmask"] = f"0x{one.markmask:08x}"
        if one.kind.masked and one.shown_bitmask is not None:
            out["bitmask"] = show(one.shown_bitmask, one.family)
        if one.shown_netmask is not None:
            out["netmask"] = str(one.shown_netmask)
    elif isinstance(one, BitmapSet):
        if one.kind.name == "bitmap:port":
            out["port"] = f"{one.first}-{one.last}"
        else:
            out["ip"] = f"{show(one.first, 4)}-{show(one.last, 4)}"
        if one.shown_netmask is not None:
            out["netmask"] = str(one.shown_netmask)
    elif isinstance(one, ListSet):
        out["size"] = str(one.size)
    if one.ext.timeout is not None:
        out["timeout"] = str(one.ext.timeout)
    flags = (("counters", one.ext.counters), ("create_comment", one.ext.comments), ("skbinfo", one.ext.skbinfo))
    out.update({name: None for name, given in flags if given})
    return out


def _header(one: BaseSet, *, everything: bool = False) -> Iterator[tuple[str, str | None]]:
    """(word, argument) of a set's parameters; ``everything`` also tells ``forceadd``, which ipset 7.17 leaves out."""
    values = _header_values(one)
    if everything and one.forceadd:
        values["forceadd"] = None
    told: set[str] = set()
    args: Iterable[Arg] = TYPES[one.kind.name].create
    for arg in args:
        if arg.shown and arg.parse != "ignored" and arg.option in values and arg.option not in told:
            told.add(arg.option)
            yield arg.name, values[arg.option]


def _words(pairs: Iterable[tuple[str, str | None]]) -> str:
    return "".join(f" {word}" if value is None else f" {word} {value}" for word, value in pairs)


def _tags(pairs: Iterable[tuple[str, str | None]]) -> str:
    return "".join(f"<{word}/>" if value is None else f"<{word}>{value}</{word}>" for word, value in pairs)


def _members(one: BaseSet, sets: IpSets, mode: str, in_order: bool) -> list[str]:
    now = sets.tick
    lines: list[str] = []
    for entry in one.entries(now):
        text, more = element_text(one.kind.name, one.family, values_of(one, entry, sets)), _shown(one, entry, now)
        if mode == "xml":
            lines.append(f"<member><elem>{text}</elem>{_tags(more)}</member>\n")
        else:
            lines.append(f"{f'add {one.name} ' if mode == 'save' else ''}{text}{_words(more)}\n")
    if in_order and isinstance(one, HashSet):
        skip = len(one.name) + 5 if mode == "save" else 14 if mode == "xml" else 0

        def compare(a: str, b: str) -> int:
            return _compare(a[skip:], b[skip:])

        lines.sort(key=cmp_to_key(compare))
    return lines


def list_set(
    one: BaseSet, sets: IpSets, mode: str, *, terse: bool = False, members: bool = True, in_order: bool = False,
    everything: bool = False,
) -> str:  # fmt: skip
    """One set; ``terse`` is what the header says, ``members`` what is sent."""
    kind, now = one.kind, sets.tick
    head = _header(one, everything=everything)
    lines = "".join(_members(one, sets, mode, in_order)) if members else ""
    if mode == "save":
        return f"create {one.name} {kind.name}{_words(head)}\n{lines}"
    size, references, count = one.memory(now), sets.references(one), one.count(now)
    if mode == "xml":
        return (
            f'<ipset name="{one.name}">\n<type>{kind.name}</type>\n<revision>{kind.revision}</revision>\n'
            f"<header>{_tags(head)}\n<memsize>{size}</memsize>\n<references>{references}</references>\n"
            f"<numentries>{count}</numentries>\n</header>\n"
            + ("" if terse else "<members>\n") + lines + ("" if terse else "</members>\n") + "</ipset>\n"
        )  # fmt: skip
    return (
        f"Name: {one.name}\nType: {kind.name}\nRevision: {kind.revision}\nHeader:{_words(head)}\n"
        f"Size in memory: {size}\nReferences: {references}\nNumber of entries: {count}\n"
        + ("" if terse else "Members:\n") + lines
    )  # fmt: skip


def dump(sets: IpSets) -> str:
    """All sets as commands that make them again, for keeping."""
    return "".join(list_set(one, sets, "save", everything=True) for one in sets)


# -- the order of -sorted --------------------------------------------------------------------------

_NUMBER = re.compile(r"[ \t\n\v\f\r]*[+-]?(?:0[xX](?=[0-9a-fA-F]))?[0-9a-fA-F]+")


def _number(text: str) -> tuple[int, int]:
    """(value, length) of a leading hexadecimal number; length 0: none."""
    found = _NUMBER.match(text)
    return (int(found[0], 16), found.end()) if found else (0, 0)


def _span(text: str) -> int:
    found = re.search("[:,]", text)
    return found.start() if found else len(text)


def _order(a: str, b: str) -> int:
    return (a > b) - (a < b)


def _compare(a: str, b: str) -> int:
    """bystrcmp: numbers by value (read as hexadecimal), names by length, shorter prefixes last."""
    sign = 1
    while a and b:
        (n, size_n), (m, size_m) = _number(a), _number(b)
        if not size_n or not size_m:
            n, m = _span(a), _span(b)
            if not (n or m):
                return _order(a, b)
            if n != m:
                return -1 if n < m else 1
            if a[:n] != b[:n]:
                return _order(a[:n], b[:n])
            a, b, sign = a[n + 1 :], b[n + 1 :], 1
            continue
        if n != m:
            return sign * (n - m)
        next_a, next_b = a[size_n : size_n + 1], b[size_m : size_m + 1]
        if "/" in (next_a, next_b):
            if next_a == next_b:
                sign = -1
            else:
                return 1 if next_a == "/" else -1
        a, b = a[size_n + 1 :], b[size_m + 1 :]
        if ":" in (a[:1], b[:1]):
            if a[:1] != b[:1]:
                return -1 if a[:1] == ":" else 1
            a, b = a[1:], b[1:]
    return 1 if a else -1 if b else 0
