"""The order of things at each hook, by priority (linux/netfilter_ipv4.h)."""

from __future__ import annotations

HOOKS = ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING")

TABLE_PRIORITY = {"raw": -300, "mangle": -150, "filter": 0, "security": 50}
CONNTRACK, HELPER, CONFIRM = -200, 2147483646, 2147483647  # the last two are one function (nf_confirm)
NAT_DST, NAT_SRC = -100, 100
NFT_SECURITY = 150  # iptables-nft hangs security there, behind nat's source half

TABLES_AT = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": HOOKS,
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
NAT_AT = {"PREROUTING": NAT_DST, "OUTPUT": NAT_DST, "INPUT": NAT_SRC, "POSTROUTING": NAT_SRC}


def steps(hook: str, personality: str) -> tuple[str, ...]:
    """What happens at a hook, in order: table names, "conntrack", "nat", "helper", "confirm"."""
    found: list[tuple[int, str]] = []
    for table, priority in TABLE_PRIORITY.items():
        if hook in TABLES_AT[table]:
            at = NFT_SECURITY if table == "security" and personality == "nft" else priority
            found.append((at, table))
    if hook in ("PREROUTING", "OUTPUT"):
        found.append((CONNTRACK, "conntrack"))
    if hook in NAT_AT:
        found.append((NAT_AT[hook], "nat"))
    if hook in ("INPUT", "POSTROUTING"):
        found += [(HELPER, "helper"), (CONFIRM, "confirm")]
    return tuple(name for _, name in sorted(found))
