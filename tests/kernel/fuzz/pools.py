"""Which extensions a profile is about, and which are in none, and why."""

from __future__ import annotations

from typing import Final

PURE: Final = (
    "addrtype", "ah", "bpf", "cgroup", "comment", "dccp", "devgroup", "dscp", "dst", "ecn", "esp", "eui64", "frag",
    "hbh", "hl", "icmp", "icmp6", "ipcomp", "iprange", "ipv6header", "length", "mac", "mark", "mh", "multiport", "osf",
    "owner", "physdev", "pkttype", "policy", "realm", "rpfilter", "rt", "sctp", "socket", "srh", "string", "tcp",
    "tcpmss", "tos", "ttl", "u32", "udp",
)  # fmt: skip
STATE: Final = (
    "bpf", "cluster", "connbytes", "connlabel", "connlimit", "connmark", "conntrack", "hashlimit", "helper", "limit",
    "quota", "recent", "state", "statistic", "string", "time", "u32",
)  # fmt: skip
TARGETS: Final = (
    "AUDIT", "CHECKSUM", "CLASSIFY", "CONNMARK", "CONNSECMARK", "CT", "DNAT", "DNPT", "DSCP", "ECN", "HL", "HMARK",
    "IDLETIMER", "LOG", "MARK", "MASQUERADE", "NETMAP", "NFLOG", "NFQUEUE", "NOTRACK", "RATEEST", "REDIRECT", "REJECT",
    "SNAT", "SNPT", "SYNPROXY", "TCPMSS", "TCPOPTSTRIP", "TEE", "TOS", "TPROXY", "TRACE", "TTL",
)  # fmt: skip
MATCHES: Final[dict[str, tuple[str, ...]]] = {
    "matches": PURE,
    "targets": ("tcp", "udp", "icmp", "icmp6", "length", "mark", "ttl", "hl", "tos", "conntrack", "statistic"),
    "stateful": STATE,
    "sets": ("set",),
}
ACTING: Final[dict[str, tuple[str, ...]]] = {
    "matches": ("MARK",),
    "targets": TARGETS,
    "stateful": ("MARK", "CONNMARK", "CT", "NOTRACK"),
    "sets": ("SET",),
}
TABLES: Final[dict[str, dict[str, float]]] = {
    "matches": {"filter": 0.7, "mangle": 0.6, "raw": 0.4, "security": 0.1},
    "targets": {"mangle": 0.8, "filter": 0.5, "raw": 0.4, "nat": 0.4, "security": 0.15},
    "stateful": {"filter": 0.8, "mangle": 0.4, "raw": 0.3, "nat": 0.1},
}
ABSENT: Final = {
    "cpu": "on which processor the kernel meets a packet is chance",
    "ipvs": "the kernel has no xt_ipvs",
    "nfacct": "its objects are made by a program that no scenario can run, so the kernel refuses each rule",
    "rateest": "a rate is measured in real time, so it is no number to compare",
    "CLUSTERIP": "the kernel has no ipt_CLUSTERIP any more",
    "LED": "the kernel has no xt_LED",
    "MIRROR": "no kernel has it any more",
    "SECMARK": "the kernel refuses each context without a security module",
    "ULOG": "no kernel has it any more",
}
