"""Entries, events and expectations as XML (libnetfilter_conntrack: snprintf_xml.c)."""

from __future__ import annotations

import time

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.record import SECOND, Entry, Expected
from iptables_emu.conntrack.sctp_state import STATES as SCTP_STATES
from iptables_emu.conntrack.tcp_state import STATES as TCP_STATES
from iptables_emu.conntrack.tuples import Tuple
from iptables_emu.model.address import show
from iptables_emu.text.conntrack.match import BY_PORTS
from iptables_emu.text.conntrack.output import FAMILY
from iptables_emu.text.conntrack.protocols import named

HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def flow(entry: Entry, now: int, kind: str = "", at: int = 0, *, times: bool = False) -> str:
    """One entry; ``at`` is the time of the event, 0 to leave it out."""
    out = f'<flow type="{kind}">' if kind else "<flow>"
    for direction, key in ((0, entry.original), (1, entry.reply)):
        out += f'<meta direction="{("original", "reply")[direction]}">{_tuple(key)}'
        if entry.zone and entry.zone_dir == ("orig", "reply")[direction]:
            out += f"<zone>{entry.zone}</zone>"
        if entry.counters:
            packets, octets = entry.counters[2 * direction : 2 * direction + 2]
            out += f"<counters><packets>{packets}</packets><bytes>{octets}</bytes></counters>"
        out += "</meta>"
    helper = f"<helper>{entry.helper}</helper>" if entry.helper else ""
    return f"{out}{_independent(entry, now, times)}{_when(at)}{helper}</flow>"


def _tuple(key: Tuple) -> str:
    name, number = FAMILY[key.family]
    out = f'<layer3 protonum="{number}" protoname="{name}"><src>{show(key.src, key.family)}</src>'
    out += f'<dst>{show(key.dst, key.family)}</dst></layer3><layer4 protonum="{key.proto}" '
    out += f'protoname="{named(key.proto)}">'
    return f"{out}{_ports(key)}</layer4>"


def _independent(entry: Entry, now: int, times: bool) -> str:
    state = entry.tcp
    if entry.sctp:
        state = TCP_STATES[SCTP_STATES.index(entry.sctp)]  # the real program reads SCTP's number as TCP's
    told = (("state", state or None), ("timeout", entry.timeout), ("mark", entry.mark),
            ("zone", entry.zone if entry.zone and not entry.zone_dir else None), ("use", entry.use),
            ("id", entry.ident))  # fmt: skip
    out = "".join(f"<{name}>{value}</{name}>" for name, value in told if value is not None)
    out += "<assured/>" if entry.status & t.ASSURED else ""
    out += "" if entry.status & t.SEEN_REPLY else "<unreplied/>"
    if entry.start:
        if times:
            stop = f"<stop>{entry.stop}</stop>" if entry.stop else ""
            out += f"<timestamp><start>{entry.start}</start>{stop}</timestamp>"
        seconds = (entry.stop or now) // SECOND - entry.start // SECOND
        out += f"<deltatime>{seconds}</deltatime>"
    return f'<meta direction="independent">{out}</meta>'


def _when(at: int) -> str:
    if not at:
        return ""
    then = time.localtime(at // SECOND)
    told = (("hour", then.tm_hour), ("min", then.tm_min), ("sec", then.tm_sec), ("wday", (then.tm_wday + 1) % 7 + 1),
            ("day", then.tm_mday), ("month", then.tm_mon), ("year", then.tm_year))  # fmt: skip
    return "<when>" + "".join(f"<{name}>{value}</{name}>" for name, value in told) + "</when>"


def expectation(one: Expected, kind: str = "", at: int = 0) -> str:
    """One expectation; ``at`` is the time to tell, 0 for none."""
    out = f'<flow type="{kind}">' if kind else "<flow>"
    sides = (("expected", one.tuple), ("mask", one.mask), ("master", one.master))
    name, number = FAMILY[one.tuple.family]
    out += f'<layer3 protonum="{number}" protoname="{name}">'
    for word, key in sides:
        src, dst = (show(value, key.family) for value in (key.src, key.dst))
        out += f"<{word}><src>{src}</src><dst>{dst}</dst></{word}>"
    out += f'</layer3><layer4 protonum="{one.tuple.proto}" protoname="{named(one.tuple.proto)}">'
    for word, key in sides:
        out += f"<{word}>{_ports(key)}</{word}>"
    meta = f"<helper-name>{one.helper}</helper-name><timeout>{one.timeout}</timeout><class>{one.klass}</class>"
    return f"{out}</layer4><meta>{meta}{_when(at)}</meta></flow>"


def _ports(key: Tuple) -> str:
    if key.proto == t.GRE:
        return f"<srckey>0x{key.sport:x}</srckey><dstkey>0x{key.dport:x}</dstkey>"
    return f"<sport>{key.sport}</sport><dport>{key.dport}</dport>" if key.proto in BY_PORTS else ""
