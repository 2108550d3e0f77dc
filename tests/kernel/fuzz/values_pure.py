"""Values for the options of the pure matches; the wish says what a packet at their edge is like."""

from __future__ import annotations

from tests.kernel.fuzz.draw import U32, Draw
from tests.kernel.fuzz.options import Maker, Values
from tests.kernel.fuzz.wishes import MARKS, PORTS

MASKS = ("", "", "/0xff", "/0xf00f", "/0x1", "/0xffffffff", "/0x0")
SPIS = (0, 1, 500, 501, 0x7FFFFFFF, 0x80000000, U32)
CLASSES = ("CS0", "CS1", "CS7", "AF11", "AF13", "AF42", "EF", "BE", "ef")
TYPES = ("UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT")
DCCP = ("REQUEST", "RESPONSE", "DATA", "ACK", "DATAACK", "CLOSEREQ", "CLOSE", "RESET", "SYNC", "SYNCACK", "INVALID")
FLAGS = ("SYN", "ACK", "FIN", "RST", "URG", "PSH")
HEADERS = ("hop", "dst", "route", "frag", "auth", "esp", "none", "prot")
CHUNKS = ("DATA", "INIT", "INIT_ACK", "SACK", "HEARTBEAT", "ABORT", "SHUTDOWN", "COOKIE_ECHO", "SHUTDOWN_COMPLETE",
          "I_DATA", "PAD", "ASCONF", "DATA:E", "DATA:BEu", "ABORT:T", "SHUTDOWN_COMPLETE:t", "ALL", "NONE")  # fmt: skip
ICMP = ("0", "3", "8", "11", "13", "3/0", "3/3", "3/4", "5/1", "8/1", "11/1", "any", "255", "echo-request",
        "destination-unreachable", "port-unreachable", "ttl-exceeded", "redirect", "timestamp-reply")  # fmt: skip
ICMP6 = ("1", "1/4", "1/0", "2", "3", "3/1", "4/1", "128", "129", "128/1", "137", "echo-request", "packet-too-big",
         "port-unreachable", "time-exceeded", "bad-header", "ttl-zero-during-transit")  # fmt: skip
OPTIONS6 = ("0", "1", "1:2", "1:4", "5", "5:2", "194", "194:4", "30:0", "1:255", "5:1")
CODES = {"echo-request": (8, 0), "redirect": (5, 1), "port-unreachable": (3, 3)}


def _icmp(draw: Draw) -> str:
    text = draw.of(*ICMP)
    kind, _, code = text.partition("/")
    if kind.isdecimal():
        draw.wish["type"] = draw.near(int(kind), 255)
        draw.wish["code"] = draw.near(int(code or 0), 255)
    elif text in CODES:
        draw.wish["type"], draw.wish["code"] = CODES[text]
    return text


def _icmp6(draw: Draw) -> str:
    text = draw.of(*ICMP6)
    kind, _, code = text.partition("/")
    if kind.isdecimal():
        draw.wish["type"] = int(kind)
        draw.wish["code"] = draw.near(int(code or 0), 255)
    return text


def _range(draw: Draw, key: str) -> str:
    address = draw.address(key)
    if draw.six:
        head, last = address.rsplit(":", 1)
        low = max(0, int(last or "0", 16) + draw.rng.randint(-2, 1))
        return f"{head}:{low:x}-{head}:{low + draw.rng.randint(0, 3):x}" if draw.often(0.8) else address
    head, last = address.rsplit(".", 1)
    low = max(0, int(last) + draw.rng.randint(-2, 1))
    return f"{head}.{low}-{head}.{min(255, low + draw.rng.randint(0, 3))}" if draw.often(0.8) else address


def _ports(draw: Draw, *keys: str) -> str:
    words, key = [], draw.rng.choice(keys)
    for _ in range(draw.rng.choice((1, 2, 3, 7))):
        low = draw.rng.choice(PORTS)
        high = min(65535, low + draw.rng.choice((1, 10, 1000)))
        words.append(str(low) if draw.often(0.6) or high == low else f"{low}:{high}")
        draw.wish[key] = draw.near(draw.rng.choice((low, high)), 65535)
    while sum(1 + (":" in word) for word in words) > 15:
        words.pop()
    return ",".join(words)


def _dscp(draw: Draw) -> str:
    value = draw.rng.choice((0, 1, 8, 10, 46, 62, 63))
    draw.wish["tos"] = draw.near(value, 63) << 2 | draw.rng.randrange(4)
    return draw.of(value, hex(value))


def _tos(draw: Draw) -> str:
    named = {"Minimize-Delay": 16, "Maximize-Throughput": 8, "Minimize-Cost": 2, "Normal-Service": 0}
    if draw.often(0.2):
        name = draw.of(*named)
        draw.wish["tos"] = named[name]
        return name
    return draw.masked("tos", (0, 1, 2, 4, 8, 16, 184, 255), ("", "/0xff", "/0x3f", "/0xf0", "/0x1c", "/0"))


def _ect(draw: Draw) -> str:
    value = draw.rng.randrange(4)
    draw.wish["tos"] = (value ^ draw.rng.choice((0, 0, 1, 2))) | draw.rng.choice((0, 0xB8))
    return str(value)


def _tcp_flags(draw: Draw) -> str:
    draw.wish["flags"] = draw.of("S", "SA", "A", "FA", "R", "PA", "", "SF", "SFRPAU", "U", "P")
    mask = draw.rng.sample(FLAGS, draw.rng.randint(1, 6))
    wanted = draw.rng.sample(mask, draw.rng.randint(0, len(mask)))
    return f"{draw.of(','.join(mask), ','.join(mask), 'ALL')} {','.join(wanted) or draw.of('NONE', 'NONE', 'ALL')}"


def _tcp_option(draw: Draw) -> str:
    draw.wish["tcp_options_hex"] = draw.of(
        "020405b4", "020405b40402080a000000010000000001030307", "01010101", "0501ffff", "02", "00000000", "fe040000"
    )
    return draw.of(1, 2, 3, 4, 8, 5, 254, 255, 0)


def _types(draw: Draw) -> str:
    return draw.some(TYPES, 3) if draw.often(0.5) else draw.of("LOCAL", "UNICAST", "MULTICAST", "BROADCAST")


def _mac(draw: Draw) -> str:
    return draw.of(*(f"02:00:00:00:fe:0{number}" for number in (1, 2, 3)), "00:00:00:00:00:00")


def _owner(key: str) -> Maker:
    def make(draw: Draw) -> str:
        low = draw.rng.choice((0, 1, 999, 1000, 65534))
        high = low + draw.rng.choice((1, 10))
        draw.wish[key] = draw.near(draw.rng.choice((low, high)), U32)
        return draw.of(low, low, f"{low}-{high}")

    return make


def _hops(draw: Draw) -> str:
    few = draw.rng.sample(("2001:db8::1", "2001:db8::2", "2a00:1450::5", "fd00:2::1"), draw.rng.randint(1, 3))
    draw.wish["hops"] = few[: draw.rng.randint(1, 3)]
    return ",".join(few)


def _chunk_types(draw: Draw) -> str:
    return f"{draw.of('all', 'any', 'only')} {draw.some(CHUNKS, 3)}"


def _header(draw: Draw) -> str:
    draw.wish["headers"] = draw.rng.sample((0, 60, 43, 44, 51), draw.rng.randint(1, 2))
    return draw.some(HEADERS, 3)


def _ext(draw: Draw, number: int, **values: object) -> None:
    draw.wish["headers"] = [number]
    draw.wish.update(values)


def _opts(number: int) -> Maker:
    def make(draw: Draw) -> str:
        _ext(draw, number, option_text=draw.some(OPTIONS6, 3))
        return draw.some(OPTIONS6, 3) if draw.often(0.4) else str(draw.wish["option_text"])

    return make


def _less(key: str, pool: tuple[int, ...], top: int) -> Maker:
    return lambda d: d.less_or_more(key, pool, top)


def _port(key: str) -> Maker:
    return lambda d: d.span(key, PORTS, 65535)


def _segments(key: str, pool: tuple[int, ...] = (0, 1, 2, 3)) -> Maker:
    def make(draw: Draw) -> str:
        _ext(draw, 43, kind=4)
        return draw.less_or_more(key, pool, 255)

    return make


def _sid(draw: Draw) -> str:
    _ext(draw, 43, kind=4)
    return draw.of("2001:db8::1", "2001:db8::2", "2001:db8::/64", "::/0", "2a00:1450::5/127")


def _rt(key: str, pool: tuple[int, ...], top: int) -> Maker:
    def make(draw: Draw) -> str:
        draw.wish["headers"] = [43]
        return draw.span(key, pool, top, False) if key == "segsleft" else draw.less_or_more(key, pool, top)

    return make


def _frag(key: str) -> Maker:
    def make(draw: Draw) -> str:
        draw.wish["headers"] = [44]
        return draw.span(key, (5, 0, U32), U32)

    return make


def _named(draw: Draw) -> str:
    return draw.of(*(link.name for link in draw.net.links), "eth+", "br0", "+")


PORTED = {"sport": _port("sport"), "dport": _port("dport")}
AGE = (0, 1, 2, 5, 63, 64, 65, 128, 254, 255)
SRH = {f"srh-{name}-{how}": _segments(key)
       for name, key in (("hdr-len", "hdrlen"), ("segs-left", "segsleft"), ("last-entry", "last"))
       for how in ("eq", "gt", "lt")}  # fmt: skip
PURE: Values = {
    "addrtype": {"src-type": _types, "dst-type": _types},
    "ah": {
        "ahspi": lambda d: d.span("spi", SPIS, U32, False),
        "ahlen": _less("ahlen", (8, 12, 16, 20), 1020),
    },
    "cgroup": {"path": lambda d: d.of("/", "//"), "cgroup": lambda d: d.of(0, 1, U32)},
    "comment": {"comment": lambda d: d.of("one", '"two words"', '"a \\"b\\""', "a-b_c", "x" * 200)},
    "dccp": {
        **PORTED,
        "dccp-types": lambda d: d.some(DCCP),
        "dccp-option": lambda d: d.number("dccp_option", (1, 2, 33, 41, 254, 255), 255),
    },
    "devgroup": {
        "src-group": lambda d: d.of("0", "0x1/0x1", "0/0xff", "5"),
        "dst-group": lambda d: d.of("0", "0x1/0x1", "0/0xff", "5"),
    },
    "dscp": {"dscp": _dscp, "dscp-class": lambda d: d.of(*CLASSES)},
    "dst": {"dst-len": lambda d: (_ext(d, 60), d.less_or_more("extlen", (8, 16, 24), 255))[1], "dst-opts": _opts(60)},
    "ecn": {"ecn-ip-ect": _ect},
    "esp": {"espspi": lambda d: d.span("spi", SPIS, U32, False)},
    "eui64": {},
    "frag": {"fragid": _frag("fragid"), "fraglen": lambda d: d.of(0, 8, 16)},
    "hbh": {"hbh-len": lambda d: (_ext(d, 0), d.less_or_more("extlen", (8, 16, 24), 255))[1], "hbh-opts": _opts(0)},
    "hl": dict.fromkeys(("hl-lt", "hl-gt", "hl-eq"), _less("ttl", AGE, 255)),
    "icmp": {"icmp-type": _icmp},
    "icmp6": {"icmpv6-type": _icmp6},
    "ipcomp": {"ipcompspi": lambda d: d.span("cpi", (0, 1, 2, 500, 65535), 65535, False)},
    "iprange": {"src-range": lambda d: _range(d, "src"), "dst-range": lambda d: _range(d, "dst")},
    "ipv6header": {"header": _header},
    "length": {"length": lambda d: d.span("length", (28, 40, 60, 84, 100, 1000), 1400)},
    "mac": {"mac-source": _mac},
    "mark": {"mark": lambda d: d.masked("mark", MARKS, MASKS)},
    "mh": {
        "mh-type": lambda d: d.of("brr", "hoti", "bu", "be", "binding-update", d.span("mh", (0, 1, 5, 7, 255), 255))
    },
    "multiport": {
        "source-ports": lambda d: _ports(d, "sport"),
        "destination-ports": lambda d: _ports(d, "dport"),
        "ports": lambda d: _ports(d, "sport", "dport"),
    },
    "osf": {
        "genre": lambda d: d.of("Linux", "Windows", "unknown"),
        "ttl": lambda d: d.of(0, 1, 2),
        "log": lambda d: d.of(0, 1, 2),
    },
    "owner": {"uid-owner": _owner("uid"), "gid-owner": _owner("gid")},
    "physdev": {"physdev-in": _named, "physdev-out": _named},
    "pkttype": {"pkt-type": lambda d: d.of("unicast", "broadcast", "multicast")},
    "policy": {
        "dir": lambda d: d.of("in", "out"),
        "pol": lambda d: d.of("none", "ipsec", "none"),
        "reqid": lambda d: d.of(0, 1, 7),
        "spi": lambda d: d.of(0, 0x100, U32),
        "tunnel-src": Draw.prefix,
        "tunnel-dst": Draw.prefix,
        "proto": lambda d: d.of("esp", "ah", "ipcomp"),
        "mode": lambda d: d.of("tunnel", "transport"),
    },
    "realm": {"realm": lambda d: d.of("0", "1", "0x0/0xff", "5/0x0", "65535")},
    "rpfilter": {},
    "rt": {
        "rt-type": _rt("kind", (0, 2, 4), 255),
        "rt-segsleft": _rt("segsleft", (0, 1, 2, 255), 255),
        "rt-len": _rt("rtlen", (8, 24, 40), 255),
        "rt-0-addrs": lambda d: (_ext(d, 43, kind=0), _hops(d))[1],
    },
    "sctp": {
        "sport": lambda d: d.span("sport", PORTS, 65535),
        "dport": lambda d: d.span("dport", PORTS, 65535),
        "chunk-types": _chunk_types,
    },
    "socket": {},
    "srh": {
        **SRH,
        "srh-next-hdr": lambda d: (_ext(d, 43, kind=4), d.of(6, 17, 58, 59))[1],
        "srh-tag": _segments("tag", (0, 1, 0x100)),
        "srh-psid": _sid,
        "srh-nsid": _sid,
        "srh-lsid": _sid,
    },
    "tcp": {**PORTED, "flags": _tcp_flags, "tcp-option": _tcp_option},
    "tcpmss": {"mss": lambda d: d.span("mss", (0, 1, 536, 1400, 1460, 65535), 65535, False)},
    "tos": {"tos": _tos},
    "ttl": dict.fromkeys(("ttl-lt", "ttl-gt", "ttl-eq"), _less("ttl", AGE, 255)),
    "udp": PORTED,
}
