"""Connections, expectations, events and counters to plain data and back, by their fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from iptables_emu.conntrack import sctp_state, tcp_state
from iptables_emu.conntrack.core import Conntrack
from iptables_emu.conntrack.expect import Expectation
from iptables_emu.conntrack.helper_state import HelperState, PptpTalk, SipTalk
from iptables_emu.conntrack.record import DESTROY, NEW, UPDATE, Entry, Expected, Stats, Told
from iptables_emu.conntrack.sctp_state import Association
from iptables_emu.conntrack.table import Conn
from iptables_emu.conntrack.tcp_segment import MOST_SCALE
from iptables_emu.conntrack.tcp_state import Side, TcpState
from iptables_emu.conntrack.tuples import Tuple
from iptables_emu.model.address import FULL
from iptables_emu.options.numbers import U8, U16, U32, U64

_OR_NONE = ("src", "src_mask", "sport")  # of an expectation
_KINDS: dict[str, Any] = {"int": int, "str": str, "bool": bool, "float": (int, float)}
# what a field may be; other numbers have 64 bits
_MOST = {"family": 6, "proto": U8, "direction": 1, "last_dir": 1, "scale": MOST_SCALE, "last_scale": MOST_SCALE,
         "end": U32, "maxend": U32, "maxwin": U32, "maxack": U32, "mark": U32, "labels": FULL[6],
         **dict.fromkeys(("zone", "cisco_port", "pns", "pac", "told_pns", "told_pac", "saved_port", "sport", "dport"),
                         U16), **dict.fromkeys(("src", "dst", "src_mask", "saved_addr"), FULL[6])}  # fmt: skip
_SIZES = {"tags": 2, "counters": 4}  # of an entry that has them
_WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("Conn", "zone_dir"): ("", "orig", "reply"), ("Entry", "zone_dir"): ("", "orig", "reply"),
    ("TcpState", "state"): tcp_state.STATES, ("Entry", "tcp"): ("", *tcp_state.STATES),
    ("Association", "state"): sctp_state.STATES, ("Entry", "sctp"): ("", *sctp_state.STATES),
    ("TcpState", "last_kind"): tcp_state.KINDS, ("Told", "kind"): (NEW, UPDATE, DESTROY),
}  # fmt: skip


def keep(core: Conntrack) -> dict[str, Any]:
    """All that outlives a run: what is in the table, and the masters that entries still hold on to."""
    conns = list(core.table.conns)
    for conn in conns:
        if conn.master is not None and conn.master not in conns:
            conns.append(conn.master)  # and so on: the list grows under the loop
    places = {conn: at for at, conn in enumerate(conns)}
    return {
        "now": core.now,
        "inserted": core.table.inserted,
        "conns": [_conn(conn, places) for conn in conns],
        "by_source": [places[conn] for conn in core.table.by_source if conn in places],
        "expectations": [{**_flat(e), **{name: getattr(e, name) for name in _OR_NONE}, "master": places[e.master]}
                         for e in core.expectations.waiting],
        "gre_keys": [[places[master], direction, key] for master, direction, key in core.gre_keys.known
                     if master in places],
        "told": [_told(one) for one in core.record.told],
        "stats": _flat(core.record.stats),
    }  # fmt: skip


def bring_back(data: Mapping[str, Any], core: Conntrack) -> None:
    """Fill an empty tracker. Raises KeyError, TypeError, ValueError or IndexError for what makes no sense."""
    core.now = _whole(data["now"])
    conns = [_read_conn(each) for each in data["conns"]]
    for conn, each in zip(conns, data["conns"], strict=True):
        conn.master = None if each["master"] is None else conns[_place(each["master"])]
    for conn in conns:
        if not conn.gone:
            serial = conn.serial
            core.table.insert(conn)
            conn.serial = serial
    core.table.inserted = _whole(data["inserted"])
    core.table.by_source = [conns[_place(at)] for at in data["by_source"]]
    for each in data["expectations"]:
        given: dict[str, Any] = {"master": conns[_place(each["master"])]}
        given |= {name: None if each[name] is None else _number(name, each[name]) for name in _OR_NONE}
        _ends(each["family"], given["src"] or 0, each["dst"], each["saved_addr"])
        core.expectations.waiting.append(_unflat(Expectation, each, given))
    core.gre_keys.known = [
        (conns[_place(at)], _number("direction", side), _tuple(key)) for at, side, key in data["gre_keys"]
    ]
    core.record.told = [_read_told(each) for each in data["told"]]
    core.record.stats = _unflat(Stats, data["stats"], {})


def _flat(one: Any) -> dict[str, Any]:
    """The plain fields of a dataclass."""
    return {f.name: getattr(one, f.name) for f in fields(one) if f.type in _KINDS}


def _unflat(cls: Any, data: Mapping[str, Any], given: dict[str, Any]) -> Any:
    """A dataclass from its plain fields, checked, and the others as ``given``."""
    for f in fields(cls):
        if f.type in _KINDS and f.name not in given:
            value = data[f.name]
            if not isinstance(value, _KINDS[f.type]) or value not in _WORDS.get((cls.__name__, f.name), (value,)):
                raise ValueError(f"{f.name}: {value!r}")
            given[f.name] = value if isinstance(value, str) else _number(f.name, value)
    return cls(**given)


def _number(name: str, value: Any) -> Any:
    """The value, if such a field may have it."""
    least = 0 if name in _MOST else -U64
    if not isinstance(value, int | float) or not least <= value <= _MOST.get(name, U64):
        raise ValueError(f"{name}: {value!r}")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or abs(value) > U64:
        raise ValueError(f"{value!r} is no number")
    return value


def _place(value: object) -> int:
    at = _whole(value)
    if at < 0:
        raise ValueError(f"{value!r} is no place in a list")
    return at


def _ends(family: int, *addresses: int) -> None:
    if any(not 0 <= address <= FULL[family] for address in addresses):
        raise ValueError(f"{addresses!r}: addresses of IPv{family} were expected")


def _numbers(values: Any, size: int) -> list[int]:
    out = [_whole(value) for value in values]
    if len(out) != size:
        raise ValueError(f"{values!r}: {size} numbers were expected")
    return out


def _tuple(values: Any) -> Tuple:
    key = Tuple(*values)
    for name, value in zip(Tuple._fields, key, strict=True):
        if not isinstance(_number(name, value), int):
            raise ValueError(f"{name}: {value!r}")
    _ends(key.family, key.src, key.dst)
    return key


def _conn(conn: Conn, places: Mapping[Conn, int]) -> dict[str, Any]:
    tcp = None if conn.tcp is None else {**_flat(conn.tcp), "seen": [_flat(side) for side in conn.tcp.seen]}
    sctp = None if conn.sctp is None else {**_flat(conn.sctp), "tags": conn.sctp.tags, "init": conn.sctp.init}
    return {
        **{name: value for name, value in _flat(conn).items() if name != "children"},
        "master": None if conn.master is None else places[conn.master],
        "tuples": conn.tuples, "tcp": tcp, "sctp": sctp, "packets": conn.packets, "bytes": conn.bytes,
        "gre_seconds": conn.gre_seconds, "helper_state": {
            **_flat(conn.helper_state), "sip": _flat(conn.helper_state.sip), "pptp": _flat(conn.helper_state.pptp),
        },
        "seq_offsets": conn.seq_offsets, "ftp_lines": {str(k): v for k, v in conn.ftp_lines.items()},
    }  # fmt: skip


def _read_conn(data: Mapping[str, Any]) -> Conn:
    tcp = sctp = None
    if data["tcp"] is not None:
        first, second = data["tcp"]["seen"]
        tcp = _unflat(TcpState, data["tcp"], {"seen": [_unflat(Side, first, {}), _unflat(Side, second, {})]})
    if data["sctp"] is not None:
        given = {"tags": _numbers(data["sctp"]["tags"], 2), "init": [bool(x) for x in data["sctp"]["init"]]}
        sctp = _unflat(Association, data["sctp"], given)
    one, other = data["tuples"]
    first_offset, second_offset = ((a, b, c) for a, b, c in (_numbers(each, 3) for each in data["seq_offsets"]))
    talk = {kind: _unflat(cls, data["helper_state"][kind], {}) for kind, cls in (("sip", SipTalk), ("pptp", PptpTalk))}
    until, after = _numbers(data["gre_seconds"], 2)
    given = {
        "helper_state": _unflat(HelperState, data["helper_state"], talk), "gre_seconds": (until, after),
        "tuples": [_tuple(one), _tuple(other)], "tcp": tcp, "sctp": sctp, "children": 0,
        "packets": _numbers(data["packets"], 2), "bytes": _numbers(data["bytes"], 2),
        "seq_offsets": [first_offset, second_offset],
        "ftp_lines": {int(k): [_whole(x) for x in v] for k, v in data["ftp_lines"].items()},
    }  # fmt: skip
    conn: Conn = _unflat(Conn, data, given)
    return conn


def _told(one: Told) -> dict[str, Any]:
    entry = one.entry
    more = {f.name: getattr(entry, f.name) for f in fields(entry)}
    return {"at": one.at, "kind": one.kind, "portid": one.portid, "entry": more}


def _read_told(data: Mapping[str, Any]) -> Told:
    more = dict(data["entry"])
    entry: Entry | Expected
    if "mask" in more:
        sides: dict[str, Any] = {name: _tuple(more[name]) for name in ("tuple", "mask", "master")}
        entry = _unflat(Expected, more, sides)
    else:
        given: dict[str, Any] = {"original": _tuple(more["original"]), "reply": _tuple(more["reply"])}
        given |= {name: None if more[name] is None else _whole(more[name]) for name in ("timeout", "mark", "use")}
        given |= {name: tuple(_numbers(more[name], size)) if more[name] else () for name, size in _SIZES.items()}
        entry = _unflat(Entry, more, given)
    told: Told = _unflat(Told, data, {"entry": entry})
    return told
