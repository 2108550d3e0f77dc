"""Values for the options of targets."""

from __future__ import annotations

from tests.kernel.fuzz.draw import U32, Draw
from tests.kernel.fuzz.options import Maker, Values
from tests.kernel.fuzz.values_pure import CLASSES, MASKS
from tests.kernel.fuzz.wishes import MARKS, port

REJECTS4 = ("icmp-net-unreachable", "icmp-host-unreachable", "icmp-port-unreachable", "icmp-proto-unreachable",
            "icmp-net-prohibited", "icmp-host-prohibited", "icmp-admin-prohibited", "tcp-reset", "tcp-rst",
            "net-unreach", "port-unreach")  # fmt: skip
REJECTS6 = ("icmp6-no-route", "icmp6-adm-prohibited", "icmp6-addr-unreachable", "icmp6-port-unreachable", "tcp-reset",
            "icmp6-policy-fail", "icmp6-reject-route", "no-route", "port-unreach")  # fmt: skip
OPTIONS = ("mss", "wscale", "sack-permitted", "sack", "timestamp", "md5", "2", "3", "8", "254", "0", "1")
EVENTS = ("related", "reply", "assured", "protoinfo", "helper", "mark")
LEVELS = ("debug", "info", "notice", "warning", "err", "crit", "alert", "emerg", "4", "7", "0")


def _mark(draw: Draw) -> str:
    return f"{draw.rng.choice(MARKS):#x}{draw.of(*MASKS)}"


def _bits(draw: Draw) -> str:
    return hex(draw.rng.choice(MARKS))


def _hops(draw: Draw) -> str:
    return draw.of(1, 1, 2, 3, 5, 63, 64, 200, 254, 255)


def _none_or_hops(draw: Draw) -> str:
    return draw.of(0, 1, 2, 64, 65, 255)


def _nat(draw: Draw) -> str:
    """An address or a range, and ports where the rule names a protocol that has them."""
    ported = draw.wish.get("proto") in ("tcp", "udp", "sctp")
    address = draw.address()
    ports = ""
    if ported and draw.often(0.4):
        low = port(draw.rng)
        ports = draw.of(f":{low}", f":{low}-{min(65535, low + draw.rng.choice((1, 5, 100)))}")
    if draw.six:
        return f"[{address}]{ports}" if ports else address
    if draw.often(0.25):
        head, last = address.rsplit(".", 1)
        low = min(int(last), 250)
        address = f"{head}.{low}-{head}.{low + draw.rng.choice((1, 2, 3))}"
    return f":{ports[1:]}" if ports and draw.often(0.15) else address + ports


def _ports(draw: Draw) -> str:
    low = port(draw.rng)
    return draw.of(low, f"{low}-{min(65535, low + draw.rng.choice((1, 10)))}")


def _wide(draw: Draw) -> str:
    bits = draw.of(64, 112, 120, 128) if draw.six else draw.of(8, 24, 25, 28, 30, 32)
    return f"{draw.address()}/{bits}"


def _pfx(draw: Draw) -> str:
    return f"{draw.address(draw.of('src', 'dst'))}/{draw.of(16, 32, 48, 56, 60, 64)}"


def _tos_bits(draw: Draw) -> str:
    return draw.of("0x1", "0x4", "0xfc", "0x0", "0xff", "0x3")


def _neighbour(draw: Draw) -> str:
    return draw.of(*(peer for link in draw.net.links for peer in link.peers), *draw.net.outside[:1])


def _prefix(draw: Draw) -> str:
    return draw.of('"L1 "', '"a%s b"', "plain", '"' + "x" * 29 + '"')


def _zone(draw: Draw) -> str:
    return draw.of(0, 1, 2, 65535, "mark")


def _link(draw: Draw) -> str:
    return draw.of(*(link.name for link in draw.net.links), "none0")


MARKING: dict[str, Maker] = {
    "set-xmark": _mark,
    "set-mark": _mark,
    "and-mark": _bits,
    "or-mark": _bits,
    "xor-mark": _bits,
}
TARGETS: Values = {
    "AUDIT": {"type": lambda d: d.of("accept", "drop", "reject")},
    "CHECKSUM": {},
    "CLASSIFY": {"set-class": lambda d: d.of("1:2", "0:0", "ffff:ffff", "a:10")},
    "CONNMARK": {
        **MARKING,
        "left-shift-mark": lambda d: d.of(0, 1, 8, 31),
        "right-shift-mark": lambda d: d.of(0, 1, 8, 31),
        **dict.fromkeys(("ctmask", "nfmask", "mask"), lambda d: d.of("0xff", "0xffffffff", "0xf00f", "0x0")),
    },
    "CONNSECMARK": {},
    "CT": {
        "helper": lambda d: d.of("ftp", "tftp", "irc", "none"),
        "timeout": lambda d: "none",
        "ctevents": lambda d: "new,destroy," + d.some(EVENTS, 3),  # connections are seen by these two
        "expevents": lambda d: "new",
        **dict.fromkeys(("zone-orig", "zone-reply", "zone"), _zone),
    },
    "DNAT": {"to-destination": _nat},
    "DNPT": {"src-pfx": _pfx, "dst-pfx": _pfx},
    "DSCP": {"set-dscp": lambda d: d.of(0, 1, "0x2e", 62, 63), "set-dscp-class": lambda d: d.of(*CLASSES)},
    "ECN": {
        **dict.fromkeys(("ecn-tcp-cwr", "ecn-tcp-ece"), lambda d: d.of(0, 1)),
        "ecn-ip-ect": lambda d: d.of(0, 1, 2, 3),
    },
    "HL": {"hl-set": _none_or_hops, "hl-dec": _hops, "hl-inc": _hops},
    "HMARK": {
        "hmark-tuple": lambda d: d.some(("src", "dst", "sport", "dport", "spi", "proto", "ct"), 5),
        **dict.fromkeys(("hmark-src-prefix", "hmark-dst-prefix"),
                        lambda d: d.of(0, 32, 64, 128) if d.six else d.of(0, 8, 24, 32)),
        **dict.fromkeys(("hmark-sport-mask", "hmark-dport-mask", "hmark-sport", "hmark-dport", "hmark-proto-mask"),
                        lambda d: d.of("0xffff", "0xff00", "0x0", "0x1")),
        **dict.fromkeys(("hmark-spi-mask", "hmark-spi"), lambda d: d.of("0xffffffff", "0xff", "0x0")),
        "hmark-rnd": lambda d: d.of("0x1", "0xdeadbeef", 0, 99),
        "hmark-mod": lambda d: d.of(1, 2, 7, 100, U32),
        "hmark-offset": lambda d: d.of(0, 1, 0x100, U32),
    },
    "IDLETIMER": {"timeout": lambda d: d.of(1, 600), "label": lambda d: f"t{d.rng.randrange(10**9)}"},
    "LOG": {"log-level": lambda d: d.of(*LEVELS), "log-prefix": _prefix},
    "MARK": MARKING,
    "MASQUERADE": {"to-ports": _ports},
    "NETMAP": {"to": _wide},
    "NFLOG": {
        "nflog-group": lambda d: d.of(0, 1, 100, 65535),
        "nflog-prefix": lambda d: d.of('"n1 "', "plain", "x" * 60),
        "nflog-range": lambda d: d.of(0, 20, 100),
        "nflog-size": lambda d: d.of(0, 20, 100),
        "nflog-threshold": lambda d: d.of(1, 5),
    },
    "NFQUEUE": {"queue-num": lambda d: d.of(0, 5, 65535), "queue-balance": lambda d: d.of("1:3", "5:6", "7:7")},
    "NOTRACK": {},
    "RATEEST": {
        "rateest-name": lambda d: f"e{d.rng.randrange(10**9)}",  # one name has one interval
        "rateest-interval": lambda d: d.of("250ms", "1s", "0.5s"),
        "rateest-ewmalog": lambda d: d.of("1s", "2s", "500ms", "3s"),
    },
    "REDIRECT": {"to-ports": _ports},
    "REJECT": {"reject-with": lambda d: d.of(*(REJECTS6 if d.six else REJECTS4))},
    "SNAT": {"to-source": _nat},
    "SNPT": {"src-pfx": _pfx, "dst-pfx": _pfx},
    "SYNPROXY": {"wscale": lambda d: d.of(0, 7, 14), "mss": lambda d: d.of(536, 1460)},
    "TCPMSS": {"set-mss": lambda d: d.of(0, 1, 500, 536, 1000, 1460, 1461, 9000, 65495)},
    "TCPOPTSTRIP": {"strip-options": lambda d: d.some(OPTIONS, 4)},
    "TEE": {"gateway": _neighbour, "oif": _link},
    "TOS": {
        "set-tos": lambda d: d.of("0x10", "0x0", "0xb8/0xff", "0x2/0x3f", "Minimize-Delay", "0xff/0xf0"),
        **dict.fromkeys(("and-tos", "or-tos", "xor-tos"), _tos_bits),
    },
    "TPROXY": {
        "on-port": lambda d: d.of(0, 80, 3128, 65535),
        "on-ip": lambda d: d.of(*d.net.own, "::" if d.six else "0.0.0.0", d.net.outside[0]),
        "tproxy-mark": _mark,
    },
    "TRACE": {},
    "TTL": {"ttl-set": _none_or_hops, "ttl-dec": _hops, "ttl-inc": _hops},
}  # fmt: skip
