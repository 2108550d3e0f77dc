"""What each set type takes on the command line (libipset: ipset_*.c, args.c), as tables.

An option is named as libipset numbers it (IPSET_OPT_*, without prefix, in lower case); the numbers are needed for
the order of complaints.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

# the order of enum ipset_opt, from IP (4) on
OPTIONS = (
    "ip", "ip_to", "cidr", "mark", "port", "port_to", "timeout", "gc", "hashsize", "maxelem", "markmask", "netmask",
    "probes", "resize", "size", "forceadd", "bitmask", "elements", "references", "memsize", "ether", "name", "nameref",
    "ip2", "cidr2", "ip2_to", "proto", "iface", "setname2", "exist", "before", "physdev", "nomatch", "counters",
    "packets", "bytes", "create_comment", "adt_comment", "skbinfo", "skbmark", "skbprio", "skbqueue", "wildcard",
    "bucketsize", "initval",
)  # fmt: skip
NUMBER = {name: number for number, name in enumerate(OPTIONS, 4)}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CREATE_OPTIONS = _words(
    "ip ip_to cidr port port_to timeout gc hashsize maxelem markmask netmask probes resize size counters "
    "create_comment forceadd skbinfo bitmask"
)
ADT_OPTIONS = _words(
    "ip ip_to cidr mark port port_to timeout ether name nameref ip2 cidr2 proto iface before physdev nomatch packets "
    "bytes adt_comment skbmark skbprio skbqueue wildcard"
)


@dataclass(frozen=True, slots=True)
class Arg:
    """A word of the command line: its name, the option it sets, how its argument is read ("" takes none)."""

    name: str
    option: str
    parse: str = ""
    shown: bool = True  # in listings


_FAMILY = (Arg("family", "family", "family"), Arg("-4", "family", shown=False), Arg("-6", "family", shown=False))
_HASH = (Arg("hashsize", "hashsize", "u32"), Arg("maxelem", "maxelem", "u32"))
_MASKS = (Arg("netmask", "netmask", "netmask"), Arg("bitmask", "bitmask", "bitmask"))
_TIMEOUT = Arg("timeout", "timeout", "timeout")
_FLAGS = (Arg("counters", "counters"), Arg("comment", "create_comment"))
_FORCE, _INFO = Arg("forceadd", "forceadd"), Arg("skbinfo", "skbinfo")
_EXTENSIONS = (_TIMEOUT, *_FLAGS, _FORCE, _INFO, Arg("bucketsize", "bucketsize", "u8"),
               Arg("initval", "initval", "u32"))  # fmt: skip
_OLD = (Arg("probes", "probes", "ignored"), Arg("resize", "resize", "ignored"))
_OLD_GC = (*_OLD, Arg("gc", "gc", "ignored"))
_OLD_RANGE = (*_OLD, Arg("from", "ip", "ignored"), Arg("to", "ip_to", "ignored"), Arg("network", "ip", "ignored"))
_OLD_ADDRESSES = (
    Arg("from", "ip", "single_ip", shown=False), Arg("to", "ip_to", "single_ip", shown=False),
    Arg("network", "ip", "net", shown=False),
)  # fmt: skip
_OLD_PORTS = (Arg("from", "port", "single_port", shown=False), Arg("to", "port_to", "single_port", shown=False))
_VALUES = (
    Arg("packets", "packets", "u64"), Arg("bytes", "bytes", "u64"), Arg("comment", "adt_comment", "comment"),
    Arg("skbmark", "skbmark", "skbmark"), Arg("skbprio", "skbprio", "skbprio"), Arg("skbqueue", "skbqueue", "u16"),
)  # fmt: skip
_NOMATCH = Arg("nomatch", "nomatch")
_ADD = (_TIMEOUT, *_VALUES)
_ADD_NET = (_TIMEOUT, _NOMATCH, *_VALUES)
_BESIDE = (Arg("before", "nameref", "before", shown=False), Arg("after", "nameref", "after", shown=False))


@dataclass(frozen=True, slots=True)
class TypeWords:
    """One type: its old name, how the parts of an element are read (with the option each sets), and the words.

    ``need`` are the options an element must set; ``add`` and ``test`` those that it may set in add or del, and in test.
    ``family`` 46 is both, 0 none.
    """

    alias: str
    family: int
    parts: tuple[tuple[str, str], ...]
    create: tuple[Arg, ...]
    add_args: tuple[Arg, ...]
    need: frozenset[str]
    add: frozenset[str]
    test: frozenset[str]
    optional: bool = False  # the parts after the first may be missing
    create_need: frozenset[str] = frozenset()
    beside: tuple[Arg, ...] = ()  # words of del and test
    test_args: tuple[Arg, ...] = ()

    def args(self, command: str) -> tuple[Arg, ...]:
        if command == "create":
            return self.create
        if command == "add":
            return self.add_args
        return self.beside or (self.test_args if command == "test" else ())


_IP, _NET, _SINGLE = "ip4_single6", "ip4_net6", "single_ip"
_PORT_PART = ("proto_port", "port")


def _hash(alias: str, parts: tuple[tuple[str, str], ...], create: tuple[Arg, ...], need: str, add: str, test: str,
          nets: bool = False, extra: tuple[Arg, ...] = ()) -> TypeWords:  # fmt: skip
    adds = (_TIMEOUT, _NOMATCH, *extra, *_VALUES) if nets else _ADD
    return TypeWords(
        alias, 46, parts, (*_FAMILY, *create), adds, _words(need), _words(f"{need} {add}"), _words(f"{need} {test}"),
        test_args=(_NOMATCH,) if nets else (),
    )  # fmt: skip


_RANGE = _words("ip ip_to")
_PORT_RANGE = _words("port port_to")

TYPES: dict[str, TypeWords] = {
    "bitmap:ip": TypeWords(
        "ipmap", 4, (("ip", "ip"),),
        (Arg("range", "ip", "netrange"), _MASKS[0], _TIMEOUT, *_FLAGS, _INFO, *_OLD_ADDRESSES), _ADD,
        _words("ip"), _words("ip ip_to"), _words("ip"), create_need=_RANGE,
    ),
    "bitmap:ip,mac": TypeWords(
        "macipmap", 4, ((_SINGLE, "ip"), ("ether", "ether")),
        (Arg("range", "ip", "netrange"), _TIMEOUT, *_FLAGS, _INFO, *_OLD_ADDRESSES), _ADD,
        _words("ip"), _words("ip ether"), _words("ip ether"), optional=True, create_need=_RANGE,
    ),
    "bitmap:port": TypeWords(
        "portmap", 0, (("tcp_udp_port", "port"),),
        (Arg("range", "port", "tcp_udp_port"), _TIMEOUT, *_FLAGS, _INFO, *_OLD_PORTS), _ADD,
        _words("port"), _words("port port_to"), _words("port"), create_need=_PORT_RANGE,
    ),
    "hash:ip": _hash("iphash", ((_IP, "ip"),), (*_HASH, *_MASKS, *_EXTENSIONS, *_OLD_GC), "ip", "ip_to", "ip_to"),
    "hash:mac": TypeWords(
        "machash", 0, (("ether", "ether"),), (*_HASH, *_EXTENSIONS), _ADD, _words("ether"), _words("ether"),
        _words("ether"),
    ),
    "hash:ip,mac": _hash("ipmachash", ((_IP, "ip"), ("ether", "ether")), (*_HASH, *_EXTENSIONS), "ip ether", "", ""),
    "hash:ip,mark": _hash(
        "ipmarkhash", ((_IP, "ip"), ("mark", "mark")),
        (Arg("markmask", "markmask", "u32"), *_HASH, *_EXTENSIONS, *_OLD_RANGE), "ip mark", "ip_to", "ip_to",
    ),
    "hash:ip,port": _hash(
        "ipporthash", ((_IP, "ip"), _PORT_PART), (*_HASH, *_EXTENSIONS, *_MASKS, *_OLD_RANGE),
        "ip proto port", "ip_to port_to", "",
    ),
    "hash:ip,port,ip": _hash(
        "ipportiphash", ((_IP, "ip"), _PORT_PART, (_SINGLE, "ip2")), (*_HASH, *_EXTENSIONS, *_OLD_RANGE),
        "ip proto port ip2", "ip_to port_to", "",
    ),
    "hash:ip,port,net": _hash(
        "ipportnethash", ((_IP, "ip"), _PORT_PART, (_NET, "ip2")), (*_HASH, *_EXTENSIONS, *_OLD_RANGE),
        "ip proto port ip2", "ip_to port_to cidr2 ip2_to", "cidr2", nets=True,
    ),
    "hash:net": _hash("nethash", ((_NET, "ip"),), (*_HASH, *_EXTENSIONS, *_OLD), "ip", "cidr ip_to", "cidr", nets=True),
    "hash:net,net": _hash(
        "netnethash", ((_NET, "ip"), (_NET, "ip2")), (*_HASH, *_EXTENSIONS, _MASKS[1], _MASKS[0]),
        "ip ip2", "cidr ip_to cidr2 ip2_to", "cidr cidr2", nets=True,
    ),
    "hash:net,port": _hash(
        "netporthash", ((_NET, "ip"), _PORT_PART), (*_HASH, *_EXTENSIONS), "ip proto port", "port_to cidr ip_to",
        "cidr", nets=True,
    ),
    "hash:net,port,net": _hash(
        "netportnethash", ((_NET, "ip"), _PORT_PART, (_NET, "ip2")), (*_HASH, *_EXTENSIONS), "ip proto port ip2",
        "port_to cidr ip_to cidr2 ip2_to", "cidr cidr2", nets=True,
    ),
    "hash:net,iface": _hash(
        "netifacehash", ((_NET, "ip"), ("iface", "iface")), (*_HASH, *_EXTENSIONS), "ip iface", "cidr ip_to physdev",
        "cidr physdev", nets=True, extra=(Arg("wildcard", "wildcard"),),
    ),
    "list:set": TypeWords(
        "setlist", 0, (("setname", "name"),),
        (Arg("size", "size", "u32"), _TIMEOUT, *_FLAGS, _INFO), (_TIMEOUT, *_BESIDE, *_VALUES),
        _words("name"), _words("name before"), _words("name before"), beside=_BESIDE,
    ),
}  # fmt: skip

@cache
def allowed(kind: str, command: str) -> frozenset[str]:
    """The options that a command may set."""
    words = TYPES[kind]
    own = words.create_need if command == "create" else words.test if command == "test" else words.add
    out = own | {arg.option for arg in words.args(command)}
    return out | {"cidr"} if "ip_to" in out else out


ICMP_CODES: dict[int, tuple[tuple[str, int, int], ...]] = {
    4: (
        ("echo-reply", 0, 0), ("pong", 0, 0), ("network-unreachable", 3, 0), ("host-unreachable", 3, 1),
        ("protocol-unreachable", 3, 2), ("port-unreachable", 3, 3), ("fragmentation-needed", 3, 4),
        ("source-route-failed", 3, 5), ("network-unknown", 3, 6), ("host-unknown", 3, 7), ("network-prohibited", 3, 9),
        ("host-prohibited", 3, 10), ("TOS-network-unreachable", 3, 11), ("TOS-host-unreachable", 3, 12),
        ("communication-prohibited", 3, 13), ("host-precedence-violation", 3, 14), ("precedence-cutoff", 3, 15),
        ("source-quench", 4, 0), ("network-redirect", 5, 0), ("host-redirect", 5, 1), ("TOS-network-redirect", 5, 2),
        ("TOS-host-redirect", 5, 3), ("echo-request", 8, 0), ("ping", 8, 0), ("router-advertisement", 9, 0),
        ("router-solicitation", 10, 0), ("ttl-zero-during-transit", 11, 0), ("ttl-zero-during-reassembly", 11, 1),
        ("ip-header-bad", 12, 0), ("required-option-missing", 12, 1), ("timestamp-request", 13, 0),
        ("timestamp-reply", 14, 0), ("address-mask-request", 17, 0), ("address-mask-reply", 18, 0),
    ),
    6: (
        ("no-route", 1, 0), ("communication-prohibited", 1, 1), ("address-unreachable", 1, 3),
        ("port-unreachable", 1, 4), ("packet-too-big", 2, 0), ("ttl-zero-during-transit", 3, 0),
        ("ttl-zero-during-reassembly", 3, 1), ("bad-header", 4, 0), ("unknown-header-type", 4, 1),
        ("unknown-option", 4, 2), ("echo-request", 128, 0), ("ping", 128, 0), ("echo-reply", 129, 0), ("pong", 129, 0),
        ("router-solicitation", 133, 0), ("router-advertisement", 134, 0), ("neighbour-solicitation", 135, 0),
        ("neigbour-solicitation", 135, 0), ("neighbour-advertisement", 136, 0), ("neigbour-advertisement", 136, 0),
        ("redirect", 137, 0),
    ),
}  # fmt: skip


def icmp_name(family: int, port: int) -> str | None:
    """The first name of an ICMP type and code."""
    return next((name for name, kind, code in ICMP_CODES[family] if kind << 8 | code == port), None)


def icmp_port(family: int, text: str) -> int | None:
    """Type and code of the first name that begins so; case does not matter."""
    names = ICMP_CODES[family]
    return next((kind << 8 | code for name, kind, code in names if name.lower().startswith(text.lower())), None)


def type_named(text: str) -> str | None:
    """The type of a name or old name."""
    return next((name for name, words in TYPES.items() if text in (name, words.alias)), None)
