"""ICMP types and codes by iptables' names (man iptables-extensions); the first name of a value is the one shown."""

from __future__ import annotations

ICMP_NAMES: dict[int, dict[str, tuple[int, int]]] = {
    4: {
        "echo-reply": (0, 0), "pong": (0, 0), "network-unreachable": (3, 0), "destination-unreachable": (3, 0),
        "host-unreachable": (3, 1), "protocol-unreachable": (3, 2), "port-unreachable": (3, 3),
        "fragmentation-needed": (3, 4), "source-route-failed": (3, 5), "network-unknown": (3, 6),
        "host-unknown": (3, 7), "network-prohibited": (3, 9), "host-prohibited": (3, 10),
        "communication-prohibited": (3, 13), "source-quench": (4, 0), "redirect": (5, 0),
        "network-redirect": (5, 0), "host-redirect": (5, 1), "echo-request": (8, 0), "ping": (8, 0),
        "router-advertisement": (9, 0), "router-solicitation": (10, 0), "time-exceeded": (11, 0),
        "ttl-exceeded": (11, 0), "ttl-zero-during-transit": (11, 0), "ttl-zero-during-reassembly": (11, 1),
        "parameter-problem": (12, 0), "timestamp-request": (13, 0), "timestamp-reply": (14, 0),
        "address-mask-request": (17, 0), "address-mask-reply": (18, 0),
    },
    6: {
        "no-route": (1, 0), "destination-unreachable": (1, 0), "communication-prohibited": (1, 1),
        "beyond-scope": (1, 2), "address-unreachable": (1, 3), "port-unreachable": (1, 4), "failed-policy": (1, 5),
        "reject-route": (1, 6), "packet-too-big": (2, 0), "time-exceeded": (3, 0), "ttl-exceeded": (3, 0),
        "ttl-zero-during-transit": (3, 0), "ttl-zero-during-reassembly": (3, 1), "parameter-problem": (4, 0),
        "bad-header": (4, 0), "unknown-header-type": (4, 1), "unknown-option": (4, 2), "echo-request": (128, 0),
        "ping": (128, 0), "echo-reply": (129, 0), "pong": (129, 0), "router-solicitation": (133, 0),
        "router-advertisement": (134, 0), "neighbour-solicitation": (135, 0), "neighbor-solicitation": (135, 0),
        "neighbour-advertisement": (136, 0), "neighbor-advertisement": (136, 0), "redirect": (137, 0),
    },
}  # fmt: skip
