"""Reading values (libipset: parse.c). Each function puts what it reads into the session's data. Raises Problem."""

from __future__ import annotations

import re
from collections.abc import Callable

from iptables_emu.model.address import parse_plain
from iptables_emu.options.numbers import U16, U32, U64
from iptables_emu.options.types import blen, inet_aton
from iptables_emu.text.ipset.ports import proto_port, single_port, tcp_udp_port
from iptables_emu.text.ipset.scan import bare, cidr, has_range, range_of, split, sure
from iptables_emu.text.ipset.session import Problem, Session
from iptables_emu.text.ipset.tables import TYPES, type_named

Reader = Callable[[Session, str, str], None]

MAX_NAME = 31
MAX_IFACE = 15
MAX_COMMENT = 255
MAX_SECONDS = 0x7FFFFFFF // 1000
_HEX = r"[ \t\n\v\f\r]*[+-]?(?:0[xX])?[0-9a-fA-F]+"
# -- addresses -----------------------------------------------------------------------------------


def host(s: Session, text: str, family: int) -> int:
    """An address (gethostbyname2); the only name that is known is localhost."""
    value = parse_plain(text, family)
    if value is None and family == 4 and re.fullmatch(r"[0-9][0-9.]*[0-9]|[0-9]", text):
        value = inet_aton(text)
    if value is None and text == "localhost":
        value = 0x7F000001 if family == 4 else 1
    if value is None:
        raise s.syntax(f"cannot parse {text}: resolving to {'IPv4' if family == 4 else 'IPv6'} address failed")
    return value


def _address(s: Session, option: str, text: str) -> None:
    family = s.family
    bits_option, to_option = ("cidr", "ip_to") if option == "ip" else ("cidr2", "ip2_to")
    to: str | None = None
    parts = split(text, "/")
    if parts:
        text = parts[0]
        s.data[bits_option] = cidr(s, parts[1], 0, 32 if family == 4 else 128)
    else:
        text, to = range_of(s, text)
    s.data[option] = host(s, bare(s, text), family)
    if to is not None:
        s.data[to_option] = host(s, bare(s, to), family)


def ip(s: Session, option: str, text: str) -> None:
    """Whatever names addresses."""
    s.family = s.family or 4
    _address(s, option, text)


def single_ip(s: Session, option: str, text: str) -> None:
    s.family = s.family or 4
    parts = split(text, "/")
    whole = "/32" if s.family == 4 else "/128"
    if has_range(text) or (parts and f"/{parts[1]}" != whole):
        raise s.syntax(f"plain IP address must be supplied: {text}")
    ip(s, option, text)


def net(s: Session, option: str, text: str) -> None:
    if not split(text, "/") or has_range(text):
        raise s.syntax(f"IP/netblock must be supplied: {text}")
    ip(s, option, text)


def netrange(s: Session, option: str, text: str) -> None:
    if not (has_range(text) or split(text, "/")):
        raise s.syntax(f"IP/cidr or IP-IP range must be specified: {text}")
    ip(s, option, text)


def ip4_single6(s: Session, option: str, text: str) -> None:
    (single_ip if s.family == 6 else ip)(s, option, text)


def ip4_net6(s: Session, option: str, text: str) -> None:
    if s.family == 6 and has_range(text):
        raise s.syntax(f"IP address or IP/cidr must be specified: {text}")
    ip(s, option, text)


def netmask(s: Session, option: str, text: str) -> None:
    if "bitmask" in s.data:
        raise s.syntax("bitmask and netmask are mutually exclusive, provide only one")
    s.family = s.family or 4
    most = 32 if s.family == 4 else 128
    try:
        s.data[option] = cidr(s, text, 1, most)
    except Problem:
        raise s.syntax(f"netmask is out of the inclusive range of 1-{most}") from None


def bitmask(s: Session, option: str, text: str) -> None:
    if "netmask" in s.data:
        raise s.syntax("bitmask and netmask are mutually exclusive, provide only one")
    s.family = s.family or 4
    family = "inet" if s.family == 4 else "inet6"
    try:
        _address(s, option, text)
    except Problem:
        raise s.syntax(f"bitmask is not valid for family = {family}") from None


def family(s: Session, option: str, text: str) -> None:
    known = {"inet": 4, "ipv4": 4, "-4": 4, "inet6": 6, "ipv6": 6, "-6": 6, "any": 0, "unspec": 0}
    if text not in known:
        raise s.syntax(f"unknown inet family {text}")
    s.family = s.data[option] = known[text]
    s.ignored.discard(option)


# -- the rest ------------------------------------------------------------------------------------


def ether(s: Session, option: str, text: str) -> None:
    parts = text.split(":")
    good = len(text) <= 17 and len(parts) == 6 and all(re.fullmatch(r"[0-9a-fA-F]{1,2}", p) for p in parts)
    if not good:
        raise s.syntax(f"cannot parse '{text}' as ethernet address")
    s.data[option] = int.from_bytes(bytes(int(p, 16) for p in parts), "big")


def mark(s: Session, option: str, text: str) -> None:
    s.data[option] = sure(s, text, U32)


def iface(s: Session, option: str, text: str) -> None:
    name = text
    if text.startswith("physdev:"):
        name = text[len("physdev:") :]
        s.cadt.add("physdev")
    if blen(name) > MAX_IFACE:
        raise s.syntax(f"interface name '{name}' is longer than {MAX_IFACE} characters")
    s.data[option] = name


def setname(s: Session, option: str, text: str) -> None:
    """A set's name; as an element of a list also the old ``NAME,before,NAME``."""
    if option == "name" and split(text, ","):
        _beside(s, text)
        return
    s.data[option] = checked_name(s, text)


def checked_name(s: Session, text: str) -> str:
    if blen(text) > MAX_NAME:
        raise s.syntax(f"setname '{text}' is longer than {MAX_NAME} characters")
    return text


def _beside(s: Session, text: str) -> None:
    name, _, rest = text.partition(",")
    parts = split(rest, ",")
    if not parts or parts[0] not in ("before", "after"):
        raise s.error("you must specify elements as setname,[before|after],setname")
    s.data["name"] = checked_name(s, name)
    (before if parts[0] == "before" else after)(s, "nameref", parts[1])


def before(s: Session, option: str, text: str) -> None:
    s.data[option] = checked_name(s, text)
    s.cadt.add("before")


def after(s: Session, option: str, text: str) -> None:
    s.data[option] = checked_name(s, text)


def timeout(s: Session, option: str, text: str) -> None:
    s.data[option] = sure(s, text, MAX_SECONDS)


def _unsigned(high: int) -> Reader:
    def read(s: Session, option: str, text: str) -> None:
        s.data[option] = sure(s, text, high)

    return read


def comment(s: Session, option: str, text: str) -> None:
    if '"' in text:
        raise s.syntax('" character is not permitted in comments')
    if blen(text) > MAX_COMMENT:
        raise s.syntax(f"Comment is longer than the maximum allowed {MAX_COMMENT} characters")
    s.data[option] = text


def skbmark(s: Session, option: str, text: str) -> None:
    """(mark, mask)"""
    found = re.match(rf"0x({_HEX})(?:/0x({_HEX}))?", text)
    if not found:
        raise s.syntax("Invalid skbmark format, it should be:  MARK/MASK or MARK (see manpage)")
    s.data[option] = int(found[1], 16) & U32, U32 if found[2] is None else int(found[2], 16) & U32


def skbprio(s: Session, option: str, text: str) -> None:
    found = re.match(rf"({_HEX}):({_HEX})", text)
    if not found:
        raise s.syntax("Invalid skbprio format, it should be:MAJOR:MINOR (see manpage)")
    s.data[option] = (int(found[1], 16) << 16 & U32) | int(found[2], 16) & 0xFFFF


def ignored(s: Session, option: str, text: str) -> None:
    """Options of old versions: only a warning."""
    if option in s.ignored:
        return
    s.ignored.add(option)
    label = {"ip": "from", "ip_to": "to"}.get(option, option)
    s.warn(f"Option '--{label} {text}' is ignored. Please upgrade your syntax.")


READERS: dict[str, Reader] = {
    "family": family, "u8": _unsigned(255), "u16": _unsigned(U16), "u32": _unsigned(U32), "u64": _unsigned(U64 - 1),
    "timeout": timeout, "netmask": netmask, "bitmask": bitmask, "ip": ip, "single_ip": single_ip, "net": net,
    "netrange": netrange, "ip4_single6": ip4_single6, "ip4_net6": ip4_net6, "proto_port": proto_port,
    "tcp_udp_port": tcp_udp_port, "single_port": single_port, "ether": ether, "mark": mark, "iface": iface,
    "setname": setname, "before": before, "after": after, "comment": comment, "skbmark": skbmark, "skbprio": skbprio,
    "ignored": ignored,
}  # fmt: skip


def element(s: Session, text: str) -> None:
    """An element: its parts with commas between them."""
    words = TYPES[s.kind]
    parts = [text]
    for place in range(2):
        divided = split(parts[-1], ",")
        if divided and (len(words.parts) > place + 1 or place):
            parts[-1:] = divided
        elif divided and s.kind != "list:set":
            raise s.syntax(f"Elem separator in {text}, but settype {s.kind} supports none.")
        elif len(words.parts) > place + 1 and not words.optional:
            raise s.syntax(f"{('Second', 'Third')[place]} element is missing from {text}.")
        if not divided or s.kind == "list:set":
            break
    if len(parts) == 3 and len(words.parts) < 3:
        raise s.syntax(f"Two elem separators in {text}, but settype {s.kind} supports one.")
    if len(parts) == 3 and split(parts[2], ","):
        raise s.syntax(f"Three elem separators in {text}, but settype {s.kind} supports two.")
    for (reader, option), part in zip(words.parts, parts, strict=False):
        READERS[reader](s, option, part)


def typename(s: Session, text: str) -> None:
    """A type's name; the family is the type's first until another is given."""
    if blen(text) > MAX_NAME:
        raise s.syntax(f"typename '{text}' is longer than {MAX_NAME} characters")
    known = type_named(text)
    if known is None:
        raise s.syntax(f"typename '{text}' is unknown")
    s.kind = known
    family = TYPES[known].family
    if family:
        s.family = s.data["family"] = 4
        if family == 46:
            s.ignored.add("family")
