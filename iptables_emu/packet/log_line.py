"""The line that LOG writes into the kernel's log (kernel: nf_log_syslog.c).

The words, their order and the blank after each are the kernel's; a line ends with a blank.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iptables_emu.model.address import show
from iptables_emu.packet.packet import AH, DSTOPTS, ESP, FRAGMENT, HOPOPTS, ICMP, ICMPV6, ROUTING, TCP, UDP, UDPLITE

if TYPE_CHECKING:
    from iptables_emu.engine.context import Context
    from iptables_emu.packet.packet import Packet

TCPSEQ, TCPOPT, IPOPT, UID, MACDECODE = 1, 2, 4, 8, 32  # NF_LOG_*
DEFAULT_MASK = TCPSEQ | TCPOPT | IPOPT | UID  # of what the kernel logs without a LOG target

# bytes of ICMP message below which a type is called INCOMPLETE
ICMP_NEEDS = {0: 4, 3: 28, 4: 28, 5: 28, 8: 4, 11: 28, 12: 28, 13: 20, 14: 20, 17: 12, 18: 12}
TCP_FLAGS = (("CWR", 0x80), ("ECE", 0x40), ("URG", 0x20), ("ACK", 0x10), ("PSH", 8), ("RST", 4), ("SYN", 2), ("FIN", 1))


def log_line(pkt: Packet, ctx: Context, prefix: str = "", flags: int = 0) -> str:
    """The whole line; ``flags`` are the NF_LOG_* bits of the options."""
    line = f"{prefix}IN={ctx.iif} OUT={ctx.oif} "
    if ctx.iif:
        line += _mac(pkt, ctx.iif, flags)
    data = bytes(pkt.data[: pkt.length])
    body, complete = _ipv4(data, 0, flags) if pkt.family == 4 else _ipv6(data, 0, flags)
    line += body
    if not complete:
        return line
    if flags & UID and pkt.uid is not None and pkt.uid >= 0:
        line += f"UID={pkt.uid} GID={pkt.gid or 0} "
    return line + (f"MARK=0x{pkt.mark:x} " if pkt.mark else "")


def _mac(pkt: Packet, iif: str, flags: int) -> str:
    frame = pkt.eth[:14]
    if iif == "lo":
        # lo's frames have zeros for both addresses, and its type is not Ethernet
        frame = bytes(12) + (b"\x08\x00" if pkt.family == 4 else b"\x86\xdd")
    elif flags & MACDECODE:
        if len(frame) < 14:
            return ""
        return f"MACSRC={frame[6:12].hex(':')} MACDST={frame[:6].hex(':')} MACPROTO={frame[12:14].hex()} "
    return f"MAC={frame.hex(':')} "


def _word(data: bytes, at: int, size: int = 2) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _octets(data: bytes) -> str:
    return f"OPT ({data.hex().upper()}) "


def _ipv4(data: bytes, at: int, flags: int) -> tuple[str, bool]:
    """(text, whether what follows the packet's text is written too)."""
    if len(data) < at + 20:
        return "TRUNCATED", False
    tos, fragment, header = data[at + 1], _word(data, at + 6), (data[at] & 15) * 4
    out = f"SRC={show(_word(data, at + 12, 4), 4)} DST={show(_word(data, at + 16, 4), 4)} LEN={_word(data, at + 2)} "
    out += f"TOS=0x{tos & 0x1E:02X} PREC=0x{tos & 0xE0:02X} TTL={data[at + 8]} ID={_word(data, at + 4)} "
    out += "".join(name for name, bit in (("CE ", 0x8000), ("DF ", 0x4000), ("MF ", 0x2000)) if fragment & bit)
    offset = fragment & 0x1FFF
    if offset:
        out += f"FRAG:{offset} "
    if flags & IPOPT and header > 20:
        if len(data) < at + header:
            return out + "TRUNCATED", False
        out += _octets(data[at + 20 : at + header])
    proto, l4 = data[at + 9], at + header
    if proto == TCP:
        text, complete = _tcp(data, l4, offset, flags)
    elif proto in (UDP, UDPLITE):
        text, complete = _udp(data, l4, offset, proto)
    elif proto == ICMP:
        text, complete = _icmp(data, at, l4, offset, flags), True
    elif proto in (AH, ESP):
        text, complete = _security(data, l4, offset, proto), True
    else:
        text, complete = f"PROTO={proto} ", True
    return out + text, complete


def _tcp(data: bytes, l4: int, fragment: int, flags: int) -> tuple[str, bool]:
    if fragment:
        return "PROTO=TCP ", True
    if len(data) < l4 + 20:
        return f"PROTO=TCP INCOMPLETE [{len(data) - l4 & 0xFFFFFFFF} bytes] ", False
    out = f"PROTO=TCP SPT={_word(data, l4)} DPT={_word(data, l4 + 2)} "
    if flags & TCPSEQ:
        out += f"SEQ={_word(data, l4 + 4, 4)} ACK={_word(data, l4 + 8, 4)} "
    out += f"WINDOW={_word(data, l4 + 14)} RES=0x{(data[l4 + 12] & 0xE) << 2:02x} "
    out += "AE " if data[l4 + 12] & 1 else ""
    out += "".join(f"{name} " for name, bit in TCP_FLAGS if data[l4 + 13] & bit)
    out += f"URGP={_word(data, l4 + 18)} "
    header = (data[l4 + 12] >> 4) * 4
    if flags & TCPOPT and header > 20:
        if len(data) < l4 + header:
            return out + "OPT (TRUNCATED)", False
        out += _octets(data[l4 + 20 : l4 + header])
    return out, True


def _udp(data: bytes, l4: int, fragment: int, proto: int) -> tuple[str, bool]:
    out = "PROTO=UDP " if proto == UDP else "PROTO=UDPLITE "
    if fragment:
        return out, True
    if len(data) < l4 + 8:
        return f"{out}INCOMPLETE [{len(data) - l4 & 0xFFFFFFFF} bytes] ", False
    return f"{out}SPT={_word(data, l4)} DPT={_word(data, l4 + 2)} LEN={_word(data, l4 + 4)} ", True


def _security(data: bytes, l4: int, fragment: int, proto: int) -> str:
    if proto == AH and fragment:
        return ""
    out = "PROTO=AH " if proto == AH else "PROTO=ESP "
    if fragment:
        return out
    if len(data) < l4 + (12 if proto == AH else 8):
        return f"{out}INCOMPLETE [{len(data) - l4 & 0xFFFFFFFF} bytes] "
    return f"{out}SPI=0x{_word(data, l4 + 4 if proto == AH else l4, 4):x} "


def _icmp(data: bytes, at: int, l4: int, fragment: int, flags: int) -> str:
    if fragment:
        return "PROTO=ICMP "
    if len(data) < l4 + 8:
        return f"PROTO=ICMP INCOMPLETE [{len(data) - l4 & 0xFFFFFFFF} bytes] "
    kind, code = data[l4], data[l4 + 1]
    out = f"PROTO=ICMP TYPE={kind} CODE={code} "
    if len(data) - l4 < ICMP_NEEDS.get(kind, 0):
        return f"{out}INCOMPLETE [{len(data) - l4} bytes] "
    if kind in (0, 8):
        return f"{out}ID={_word(data, l4 + 4)} SEQ={_word(data, l4 + 6)} "
    if kind == 12:
        return f"{out}PARAMETER={data[l4 + 4]} "
    if kind == 5:
        out += f"GATEWAY={show(_word(data, l4 + 4, 4), 4)} "
    if kind in (3, 4, 5, 11):
        if at == 0:  # a packet quoted in a quoted error is not shown
            out += f"[{_ipv4(data, l4 + 8, flags)[0]}] "
        if kind == 3 and code == 4:
            out += f"MTU={_word(data, l4 + 6)} "
    return out


def _ipv6(data: bytes, at: int, flags: int) -> tuple[str, bool]:
    if len(data) < at + 40:
        return "TRUNCATED", False
    first = _word(data, at, 4)
    out = f"SRC={data[at + 8 : at + 24].hex(':', 2)} DST={data[at + 24 : at + 40].hex(':', 2)} "
    out += f"LEN={_word(data, at + 4) + 40} TC={first >> 20 & 255} HOPLIMIT={data[at + 7]} FLOWLBL={first & 0xFFFFF} "
    proto, l4, fragment = data[at + 6], at + 40, 0
    while proto in (HOPOPTS, ROUTING, FRAGMENT, ESP, AH, DSTOPTS):
        if len(data) < l4 + 2:
            return out + "TRUNCATED", False
        text, size, fragment = _extension(data, l4, proto, fragment, flags)
        out += text
        if not size:
            return out, False
        proto, l4 = data[l4], l4 + size
    if proto == TCP:
        text, complete = _tcp(data, l4, fragment, flags)
    elif proto in (UDP, UDPLITE):
        text, complete = _udp(data, l4, fragment, proto)
    elif proto == ICMPV6:
        text, complete = _icmp6(data, at, l4, fragment, flags)
    else:
        text, complete = f"PROTO={proto} ", True
    return out + text, complete


def _extension(data: bytes, l4: int, proto: int, fragment: int, flags: int) -> tuple[str, int, int]:
    """(text, size of the header or 0 when the line ends here, whether a later fragment was met)."""
    shown = bool(flags & IPOPT)
    out = "OPT ( " if shown else ""
    size = (data[l4 + 1] + 1) * 8
    if proto == FRAGMENT:
        if len(data) < l4 + 8:
            return out + "FRAG:TRUNCATED ", 0, fragment
        word, size = _word(data, l4 + 2), 8
        out += f"FRAG:{word & 0xFFF8} {'INCOMPLETE ' if word & 1 else ''}ID:{_word(data, l4 + 4, 4):08x} "
        fragment = fragment or int(bool(word & 0xFFF8))
    elif proto in (AH, ESP):
        if shown:
            out += "AH " if proto == AH else "ESP "
            if fragment:
                return out + ")", 0, fragment
            if len(data) < l4 + (12 if proto == AH else 8):
                return f"{out}INCOMPLETE [{len(data) - l4} bytes] )", 0, fragment
            out += f"SPI=0x{_word(data, l4 + 4 if proto == AH else l4, 4):x} "
        size = (data[l4 + 1] + 2) * 4
        if proto == ESP:
            return out + (")" if shown else ""), 0, fragment
    elif fragment:
        return out + (")" if shown else ""), 0, fragment
    return out + (") " if shown else ""), size, fragment


def _icmp6(data: bytes, at: int, l4: int, fragment: int, flags: int) -> tuple[str, bool]:
    if fragment:
        return "PROTO=ICMPv6 ", True
    if len(data) < l4 + 8:
        return f"PROTO=ICMPv6 INCOMPLETE [{len(data) - l4 & 0xFFFFFFFF} bytes] ", False
    kind, code = data[l4], data[l4 + 1]
    out = f"PROTO=ICMPv6 TYPE={kind} CODE={code} "
    if kind in (128, 129):
        return f"{out}ID={_word(data, l4 + 4)} SEQ={_word(data, l4 + 6)} ", True
    if kind == 4:
        out += f"POINTER={_word(data, l4 + 4, 4):08x} "
    if kind in (1, 2, 3, 4):
        if at == 0:
            out += f"[{_ipv6(data, l4 + 8, flags)[0]}] "
        if kind == 2:
            out += f"MTU={_word(data, l4 + 4, 4)} "
    return out, True
