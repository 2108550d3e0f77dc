"""What extensions ask of a host besides links and packets: sockets, groups of links, fingerprints."""

from __future__ import annotations

import random
from typing import Any, Final

from tests.kernel.fuzz.hosts import Net
from tests.kernel.fuzz.wishes import PORTS

GROUPS: Final = (0, 0, 1, 3, 5)
FINGERPRINTS: Final = """# window:ttl:df:length:options:genre:version:subtype:details
*:64:0:40:.:Linux:bare::Linux without options
*:128:1:44:M*:Windows:mss::Windows with an MSS
%8192:64:0:44:M1460:Windows:even:1:Windows by its window
S4:64:0:44:M*:Linux:four::Linux by its MSS
65535:255:0:40:.:unknown:top::one with all it has
"""


def furnish(rng: random.Random, net: Net, rules: str) -> list[dict[str, Any]]:
    """Give the host what the rules are about; what is a step of its own is returned."""
    if "-m osf" in rules:
        net.host["osf"] = FINGERPRINTS
    if "-m devgroup" in rules:
        for interface in net.host["interfaces"].values():
            interface["group"] = rng.choice(GROUPS)
    if "-j TPROXY" in rules and rng.random() < 0.6:
        everything = "::/0" if net.family == 6 else "0.0.0.0/0"
        net.host["routes"].append({"dst": everything, "dev": "lo", "table": 100, "type": "local"})
        net.host["rules"] = ["fwmark 0x1/0x1 lookup 100"]
    if "-m socket" not in rules and "-j TPROXY" not in rules:
        return []
    wanted = {(rng.choice(("tcp", "udp")), rng.choice((*PORTS, 3128))) for _ in range(rng.randint(1, 8))}
    return [{"listen": _listener(rng, net, proto, port)} for proto, port in sorted(wanted)]


def _listener(rng: random.Random, net: Net, proto: str, port: int) -> dict[str, Any]:
    out: dict[str, Any] = {"proto": proto, "port": port}
    if net.family == 6 or rng.random() < 0.5:
        out["address"] = rng.choice((*net.own, "::" if net.family == 6 else "0.0.0.0"))
    if rng.random() < 0.5:
        out["transparent"] = True
    if rng.random() < 0.4:
        out["mark"] = rng.choice((1, 7, 16))
    return out
