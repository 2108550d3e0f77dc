"""NAT: choosing tuples and rewriting packets (kernel: nf_nat_core.c, nf_nat_proto.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.conntrack import tuples as t
from iptables_emu.conntrack.jhash import jhash2, words_of
from iptables_emu.conntrack.nat_range import NatRange
from iptables_emu.conntrack.tcp_segment import after
from iptables_emu.conntrack.tuples import ORIGINAL, REPLY, Tuple
from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.packet import ICMP, ICMPV6, Packet

if TYPE_CHECKING:
    from iptables_emu.conntrack.core import Conntrack
    from iptables_emu.conntrack.table import Conn

MOST_ATTEMPTS = 128
LAST_ATTEMPTS = MOST_ATTEMPTS // 4  # of which a connection that is over may be the victim
CLOSED = frozenset({"TIME_WAIT", "CLOSE"})
LEAST_HEADER = 8  # of TCP, UDP, ICMP, GRE ... that can be rewritten
# bytes of the transport header that are made writable
WRITTEN = {t.TCP: 20, t.UDP: 8, t.UDPLITE: 8, t.SCTP: 12, ICMP: 8, ICMPV6: 8}
SRC_HOOKS = frozenset({"POSTROUTING", "INPUT"})


def manip_of(hook: str) -> str:
    """Which end is rewritten at a hook: "src" or "dst"."""
    return "src" if hook in SRC_HOOKS else "dst"


def initialised(conn: Conn, manip: str) -> bool:
    return bool(conn.status & (t.SRC_NAT_DONE if manip == "src" else t.DST_NAT_DONE))


def setup(core: Conntrack, conn: Conn, wanted: NatRange, manip: str) -> None:
    """Decide the translation of one end of a new connection (nf_nat_setup_info)."""
    if conn.confirmed or initialised(conn, manip):
        return
    current = conn.reply.inverse()
    chosen = unique_tuple(core, conn, current, wanted, manip)
    if chosen != current:
        conn.tuples[REPLY] = chosen.inverse()
        conn.status |= t.SRC_NAT if manip == "src" else t.DST_NAT
    if manip == "src":
        core.table.by_source.insert(0, conn)
        conn.status |= t.SRC_NAT_DONE
    else:
        conn.status |= t.DST_NAT_DONE


def null_binding(core: Conntrack, conn: Conn, manip: str) -> None:
    """No rule asked for anything: the address stays, the port only if its reply tuple is free."""
    address = conn.reply.dst if manip == "src" else conn.reply.src
    setup(core, conn, NatRange(address, address), manip)


def used(core: Conntrack, conn: Conn, key: Tuple) -> bool:
    """Whether another connection has the reply tuple that this translation would have."""
    reply = key.inverse()
    for other, direction in core.table.entries(reply):
        if other is conn or not other.zone_of(direction) == conn.zone_of(REPLY) == conn.zone_of(direction):
            continue
        if other.original == conn.original and other.zone_of(ORIGINAL) == conn.zone_of(ORIGINAL):
            continue  # the same flow; confirmation settles that
        return True
    return False


def unique_tuple(core: Conntrack, conn: Conn, current: Tuple, wanted: NatRange, manip: str) -> Tuple:
    """get_unique_tuple: keep what fits, reuse the source's mapping, else choose."""
    drawn = wanted.random or wanted.random_fully
    if manip == "src" and not drawn:
        if in_range(current, wanted):
            if not used(core, conn, current):
                return current
        else:
            mapped = _same_source(core, conn, current, wanted)
            if mapped is not None and not used(core, conn, mapped):
                return mapped
    chosen = best_address(current, wanted, manip, conn.zone)
    if not drawn:
        if wanted.min_port is not None:
            low, high = wanted.min_port, wanted.max_port or 0
            if wanted.base_port is None and low <= _key(chosen, manip) <= high and chosen.proto in _KEYED and (
                low == high or not used(core, conn, chosen)
            ):
                return chosen
            if chosen.proto not in _KEYED:
                return chosen
        elif not used(core, conn, chosen):
            return chosen
    return _unique_key(core, conn, chosen, wanted, manip)


_KEYED = frozenset({t.TCP, t.UDP, t.UDPLITE, t.SCTP, t.GRE, t.ICMP, t.ICMPV6})


def in_range(key: Tuple, wanted: NatRange) -> bool:
    """Whether a source already lies in the range (nf_in_range)."""
    if wanted.min_addr is not None and not wanted.min_addr <= key.src <= (wanted.max_addr or 0):
        return False
    if wanted.min_port is None or key.proto not in _KEYED:
        return True
    return wanted.min_port <= key.sport <= (wanted.max_port or 0)


def _same_source(core: Conntrack, conn: Conn, current: Tuple, wanted: NatRange) -> Tuple | None:
    """The mapping that this source has for another connection, if it lies in the range."""
    for other in core.table.by_source:
        o = other.original
        if (o.proto, o.src, o.sport) != (current.proto, current.src, current.sport) or o.family != current.family:
            continue
        if other.zone_of(ORIGINAL) != conn.zone_of(ORIGINAL):
            continue
        seen = other.reply.inverse()
        mapped = Tuple(current.family, seen.src, current.dst, current.proto, seen.sport, current.dport)
        if in_range(mapped, wanted):
            return mapped
    return None


def best_address(key: Tuple, wanted: NatRange, manip: str, zone: int) -> Tuple:
    """An address of the range, by a hash of source and destination (find_best_ips_proto)."""
    if wanted.min_addr is None or wanted.max_addr is None:
        return key
    if wanted.min_addr == wanted.max_addr:
        return _with_address(key, wanted.min_addr, manip)
    source, dest = words_of(key.src, key.family), words_of(key.dst, key.family)
    last = 0 if key.family == 4 else 3
    value = jhash2(source, 0 if wanted.persistent else dest[last] ^ zone)
    lows, highs = _host_words(wanted.min_addr, key.family), _host_words(wanted.max_addr, key.family)
    out, full = 0, False
    for i in range(last + 1):
        low, dist = (0, 0xFFFFFFFF) if full else (lows[i], highs[i] - lows[i] + 1 & 0xFFFFFFFF)
        word = low + (value * dist >> 32) & 0xFFFFFFFF
        out = out << 32 | word
        full = full or word != highs[i]
        if not wanted.persistent:
            # for DNAT the kernel has already put the new word where it reads the old one
            value ^= dest[i] if manip == "src" else int.from_bytes(word.to_bytes(4, "big"), "little")
    return _with_address(key, out, manip)


def _host_words(value: int, family: int) -> list[int]:
    return [value] if family == 4 else [value >> shift & 0xFFFFFFFF for shift in (96, 64, 32, 0)]


def _with_address(key: Tuple, value: int, manip: str) -> Tuple:
    return key._replace(src=value) if manip == "src" else key._replace(dst=value)


def _key(key: Tuple, manip: str) -> int:
    if key.proto in (ICMP, ICMPV6):
        return key.sport
    return key.sport if manip == "src" else key.dport


def _with_key(key: Tuple, value: int, manip: str) -> Tuple:
    if key.proto in (ICMP, ICMPV6) or manip == "src":
        return key._replace(sport=value)
    return key._replace(dport=value)


def _evict(core: Conntrack, conn: Conn, key: Tuple) -> bool:
    """Take the port of a translated TCP connection that is over, where the new SYN's number lies behind its own
    (nf_nat_used_tuple_harder)."""
    found = core.table.find(key.inverse(), conn.zone_of(REPLY))
    old = found[0] if found and found[1] == REPLY else None
    if old is None or old.tcp is None or not old.status & t.SRC_NAT or old.tcp.state not in CLOSED:
        return False
    if conn.tcp is None or conn.tcp.state != "SYN_SENT":
        return False
    if not after(conn.tcp.seen[ORIGINAL].end, old.tcp.seen[ORIGINAL].end):
        return False
    core.kill(old)
    return True


def _unique_key(core: Conntrack, conn: Conn, key: Tuple, wanted: NatRange, manip: str) -> Tuple:
    """A free port or id of the range (nf_nat_l4proto_unique_tuple); the last tried when none is."""
    bounds = _key_range(conn, key, wanted, manip)
    if bounds is None:
        return key
    low, size = bounds
    if wanted.base_port is not None:
        offset = _key(key, manip) - wanted.base_port & 0xFFFF
    elif wanted.random or wanted.random_fully or manip == "src":
        offset = core.rng.getrandbits(16)
    else:
        offset = 0
    attempts = min(size, MOST_ATTEMPTS)
    while True:
        for tried in range(attempts):
            key = _with_key(key, low + offset % size & 0xFFFF, manip)
            if not used(core, conn, key) or (attempts - tried <= LAST_ATTEMPTS and _evict(core, conn, key)):
                return key
            offset = offset + 1 & 0xFFFF
        if attempts >= size or attempts < 16:
            return key
        attempts //= 2
        offset = core.rng.getrandbits(16)


def _key_range(conn: Conn, key: Tuple, wanted: NatRange, manip: str) -> tuple[int, int] | None:
    """(lowest, how many) of the ports or ids to choose from, None when they cannot change."""
    given = None
    if wanted.min_port is not None and wanted.max_port is not None:
        low, high = sorted((wanted.min_port, wanted.max_port))
        given = (low, high - low + 1)
    if key.proto in (ICMP, ICMPV6):
        return given or (0, 65536)
    if key.proto == t.GRE:
        return (given or (1, 65535)) if conn.master else None
    if key.proto not in _KEYED:
        return None
    if given:
        return given
    if manip == "dst":
        return None
    port = _key(key, manip)
    if port < 512:
        return 1, 511
    return (600, 424) if port < 1024 else (1024, 64512)


# -- packets -------------------------------------------------------------------------------------


def translate(conn: Conn, ctinfo: int, hook: str, pkt: Packet) -> bool:
    """Rewrite a packet of a translated connection (nf_nat_packet); False: it must be dropped."""
    manip = manip_of(hook)
    direction = REPLY if ctinfo >= t.IS_REPLY else ORIGINAL
    bit = t.SRC_NAT if manip == "src" else t.DST_NAT
    if direction == REPLY:
        bit ^= t.NAT_MASK
    return not conn.status & bit or rewrite(pkt, conn.tuples[1 - direction].inverse(), manip)


def rewrite(pkt: Packet, target: Tuple, manip: str) -> bool:
    """One end of a packet becomes the tuple's (nf_nat_manip_pkt); False: its transport header is too short for it."""
    space = len(pkt.data) - pkt.l4
    if pkt.proto in _KEYED and space < LEAST_HEADER and not pkt.frag_offset:
        return False
    if pkt.proto == t.GRE and manip == "dst" and not pkt.frag_offset and pkt.data[pkt.l4 + 1] & 7 > 1:
        return False  # neither GRE nor PPTP's
    if manip == "src":
        pkt.set_src(target.src)
    else:
        pkt.set_dst(target.dst)
    if pkt.frag_offset:
        return True
    pkt.pull(WRITTEN.get(pkt.proto, 0))
    if pkt.proto in t.WITH_PORTS:
        port = target.sport if manip == "src" else target.dport
        pkt.set_l4(0 if manip == "src" else 2, port.to_bytes(2, "big"))
        if pkt.proto == t.SCTP:
            _sctp_checksum(pkt)
    elif pkt.proto in (ICMP, ICMPV6) and _has_id(pkt):
        _set_icmp_id(pkt, target.sport)
    elif pkt.proto == t.GRE and manip == "dst" and t.names_call(bytes(pkt.data[pkt.l4 :])):
        pkt.set_l4(t.GRE_CALL, target.dport.to_bytes(2, "big"))
    return True


def _has_id(pkt: Packet) -> bool:
    kind = pkt.data[pkt.l4]
    return kind in (t.ICMP_INVERSE if pkt.proto == ICMP else t.ICMPV6_INVERSE)


def _set_icmp_id(pkt: Packet, ident: int) -> None:
    from iptables_emu.packet.packet import adjust_checksum

    at = pkt.l4
    old, new = bytes(pkt.data[at + 4 : at + 6]), ident.to_bytes(2, "big")
    check = adjust_checksum(int.from_bytes(pkt.data[at + 2 : at + 4], "big"), old, new)
    pkt.data[at + 4 : at + 6] = new
    pkt.data[at + 2 : at + 4] = check.to_bytes(2, "big")
    pkt.refresh()


def _sctp_checksum(pkt: Packet) -> None:
    from iptables_emu.packet.crc32c import crc32c

    if len(pkt.data) - pkt.l4 < 12:
        return
    body = bytearray(pkt.data[pkt.l4 : pkt.length])
    body[8:12] = bytes(4)
    pkt.data[pkt.l4 + 8 : pkt.l4 + 12] = crc32c(bytes(body)).to_bytes(4, "little")
    pkt.refresh()


def translate_error(conn: Conn, ctinfo: int, hook: str, pkt: Packet) -> bool:
    """An ICMP error: the packet it quotes, then its own addresses (nf_nat_icmp_reply_translation)."""
    manip = manip_of(hook)
    direction = REPLY if ctinfo >= t.IS_REPLY else ORIGINAL
    at, six = pkt.l4, pkt.proto == ICMPV6
    if len(pkt.data) - at < 8 + (40 if six else 20):
        return False
    unfinished = conn.status & t.NAT_DONE_MASK != t.NAT_DONE_MASK
    if pkt.data[at] == (137 if six else 5) and (unfinished or conn.status & t.NAT_MASK):
        return False  # a redirect would name an address that means nothing beyond the translation
    bit = t.SRC_NAT if manip == "src" else t.DST_NAT
    if direction == REPLY:
        bit ^= t.NAT_MASK
    if not conn.status & bit:
        return True
    inner = Packet(pkt.data[at + 8 :])
    # the quoted packet goes back to how it looked when it came in
    if not rewrite(inner, conn.tuples[1 - direction], "dst" if manip == "src" else "src"):
        return False
    pkt.data[at + 8 :] = inner.data
    target = conn.tuples[1 - direction].inverse()
    if not six:
        pkt.data[at + 2 : at + 4] = b"\0\0"
        pkt.data[at + 2 : at + 4] = internet_checksum(bytes(pkt.data[at:])).to_bytes(2, "big")
    pkt.refresh()
    if manip == "src":
        pkt.set_src(target.src)
    else:
        pkt.set_dst(target.dst)
    if six:
        from iptables_emu.packet.packet import pseudo_header

        pkt.data[at + 2 : at + 4] = b"\0\0"
        body = bytes(pkt.data[at:])
        check = internet_checksum(pseudo_header(6, pkt.src, pkt.dst, ICMPV6, len(body)) + body)
        pkt.data[at + 2 : at + 4] = check.to_bytes(2, "big")
        pkt.refresh()
    return True
