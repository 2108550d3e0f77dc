"""Values for the options of matches that remember, or that look into the payload."""

from __future__ import annotations

from tests.kernel.fuzz.draw import U32, Draw
from tests.kernel.fuzz.options import Values
from tests.kernel.fuzz.programs import bytecode, u32_tests
from tests.kernel.fuzz.values_pure import MASKS
from tests.kernel.fuzz.wishes import MARKS, PAYLOADS, PORTS

# 4 a second gives a credit in 250 ms: a scenario is much shorter, or sleeps 1.5 of these
RATES = ("1/hour", "2/hour", "5/hour", "1/minute", "3/minute", "4/sec", "1/h", "7/day", "2/m")
SIZES = (20, 28, 29, 40, 41, 60, 84, 100, 300, 0, 1000)
STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED")
STATUSES = ("NONE", "EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Mo", "1", "7")
KEYS = ("srcip", "dstip", "srcport", "dstport")
TEXTS = tuple(text for text in PAYLOADS if len(text) > 2)


def _rate(draw: Draw) -> str:
    return draw.of(*RATES, "512b/s", "1kb/s", "100b/s") if draw.often(0.3) else draw.of(*RATES)


def _text(draw: Draw) -> str:
    text = draw.of(*TEXTS)
    draw.wish["payload"] = "x" * draw.rng.randrange(4) + text + "y" * draw.rng.randrange(4)
    if draw.often(0.2):
        text = text.swapcase()
    # fewer letters than three would stand in ids and checksums, too
    start = draw.rng.randrange(max(1, len(text) - 3))
    return text[start : start + draw.rng.randint(3, 12)]


def _string(draw: Draw) -> str:
    return '"' + _text(draw).replace('"', "") + '"'


def _hex(draw: Draw) -> str:
    text = _text(draw)
    at = draw.rng.randint(0, len(text))
    return f'"{text[:at]}|{text[at:].encode().hex() or "00"}|"'


def _labels(draw: Draw) -> str:
    return draw.of(0, 1, 1, 2, 31, 32, 63, 127)


def _bytes(draw: Draw) -> str:
    low = draw.rng.choice((0, 1, 2, 3, 4, 28, 40, 41, 80, 81, 120, 200))
    return draw.of(low, f"{low}:", f"{low}:{low + draw.rng.choice((0, 1, 40, 100))}", f":{low}")


def _expire(draw: Draw) -> str:
    # away from the whole timeouts, of which less than a second is gone
    return draw.of("0:20", "5", "25:40", "35:100", "200:290", "150:500", "100000:431990", "431000:432500", "0:1000000")


def _proto(draw: Draw) -> str:
    draw.wish["proto"] = draw.of("tcp", "udp", "99")
    return draw.of("tcp", "udp", "6", "17", "icmp", "99")


def _ctports(draw: Draw) -> str:
    return draw.span("dport" if draw.often(0.5) else "sport", PORTS, 65535, False)


def _date(draw: Draw) -> str:
    return f"{draw.of(2001, 2019, 2037)}-{draw.of('01', '07', '12')}-{draw.of('01', '15')}" + draw.of(
        "", "T01:02:03", "T23"
    )


def _daytime(draw: Draw) -> str:
    return f"{draw.rng.randrange(24):02}:{draw.rng.randrange(60):02}" + draw.of("", ":07", ":59")


STATE: Values = {
    "bpf": {"bytecode": bytecode, "object-pinned": lambda d: "/sys/fs/bpf/none"},
    "cluster": {
        "cluster-total-nodes": lambda d: d.of(1, 2, 3, 4, 32),
        "cluster-local-node": lambda d: d.of(1, 2, 3),
        "cluster-local-nodemask": lambda d: d.of("0x1", "0x3", "2", "0x7"),
        "cluster-hash-seed": lambda d: d.of("0xdeadbeef", 0, 7, U32),
    },
    "connbytes": {
        "connbytes": _bytes,
        "connbytes-dir": lambda d: d.of("original", "reply", "both"),
        "connbytes-mode": lambda d: d.of("packets", "bytes", "avgpkt"),
    },
    "connlabel": {"label": _labels},
    "connlimit": {
        "connlimit-upto": lambda d: d.of(0, 1, 2, 3),
        "connlimit-above": lambda d: d.of(0, 1, 2, 3),
        "connlimit-mask": lambda d: d.of(0, 64, 128) if d.six else d.of(0, 8, 24, 32),
    },
    "connmark": {"mark": lambda d: d.masked("ctmark", MARKS, MASKS)},
    "conntrack": {
        "ctstate": lambda d: d.some((*STATES, "SNAT", "DNAT"), 3),
        "ctproto": _proto,
        **dict.fromkeys(("ctorigsrc", "ctorigdst", "ctreplsrc", "ctrepldst"), Draw.prefix),
        "ctstatus": lambda d: d.some(STATUSES, 2),
        "ctexpire": _expire,
        **dict.fromkeys(("ctorigsrcport", "ctorigdstport", "ctreplsrcport", "ctrepldstport"), _ctports),
        "ctdir": lambda d: d.of("ORIGINAL", "REPLY"),
    },
    "hashlimit": {
        "upto": _rate,
        "above": _rate,
        "hashlimit-srcmask": lambda d: d.of(0, 64, 128) if d.six else d.of(0, 8, 24, 32, "255.255.0.0"),
        "hashlimit-dstmask": lambda d: d.of(0, 64, 120) if d.six else d.of(0, 8, 24, 31),
        "hashlimit-burst": lambda d: d.of(1, 1, 2, 3, 5, 1024, "2kb"),
        "hashlimit-htable-size": lambda d: d.of(1, 64),
        "hashlimit-htable-max": lambda d: d.of(64, 1, 2),
        "hashlimit-htable-gcinterval": lambda d: d.of(60, 1000),
        "hashlimit-htable-expire": lambda d: d.of(150, 60000),
        "hashlimit-mode": lambda d: d.some(KEYS, 4),
        "hashlimit-name": lambda d: f"h{d.rng.randrange(10**9)}",
        "hashlimit-rate-interval": lambda d: d.of(1, 2, 60),
    },
    "helper": {"helper": lambda d: d.of("ftp", "tftp", '""', "none", "irc")},
    "limit": {"limit": lambda d: d.of(*RATES), "limit-burst": lambda d: d.of(1, 1, 2, 3, 5)},
    "nfacct": {"nfacct-name": lambda d: "none"},
    "quota": {"quota": lambda d: d.of(*SIZES)},
    "rateest": {
        **dict.fromkeys(("rateest1", "rateest2"), lambda d: d.of("est0", "est1")),
        **dict.fromkeys(("rateest-bps1", "rateest-bps2"), lambda d: d.of("1mbit", "0bit", "")),
        **dict.fromkeys(("rateest-pps1", "rateest-pps2"), lambda d: d.of(0, 1000, "")),
    },
    "recent": {
        "seconds": lambda d: d.of(1, 1, 60, 3600),
        "hitcount": lambda d: d.of(0, 1, 2, 3, 20),
        "name": lambda d: d.of("r0", "r0", "r1"),
        "mask": lambda d: d.of("ffff::", "ffff:ffff:ffff:ffff::", "::") if d.six else
        d.of("255.255.255.0", "255.0.0.0", "0.0.0.0", "255.255.255.255", "0.0.0.255"),
    },
    "state": {"state": lambda d: d.some(STATES, 3)},
    "statistic": {
        "mode": lambda d: d.of("nth", "nth", "nth", "random"),
        "probability": lambda d: d.of("0", "1", "1.0", "0.0"),
        "every": lambda d: d.of(1, 2, 3, 4),
        "packet": lambda d: d.of(0, 1, 2),
    },
    "string": {
        "from": lambda d: d.of(0, 20, 27, 28, 29, 40, 41, 60),
        "to": lambda d: d.of(0, 27, 30, 40, 44, 48, 60, 100, 65535),
        "algo": lambda d: d.of("bm", "kmp"),
        "string": _string,
        "hex-string": _hex,
    },
    "time": {
        "datestart": _date,
        "datestop": _date,
        "timestart": _daytime,
        "timestop": _daytime,
        "weekdays": lambda d: d.some(DAYS, 6),
        "monthdays": lambda d: d.some(tuple(str(n) for n in range(1, 32)), 31),
    },
    "u32": {"u32": u32_tests},
}  # fmt: skip
