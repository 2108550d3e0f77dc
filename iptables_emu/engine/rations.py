"""How many ICMP messages the host sends: icmp_ratelimit, icmp_ratemask, icmp_msgs_per_sec and icmp_msgs_burst,
IPv6's icmp.ratelimit and icmp.ratemask (kernel: icmp.c, ipv6/icmp.c)."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from iptables_emu.engine.peers import SECOND, Peers

if TYPE_CHECKING:
    from iptables_emu.engine.decision import Decision
    from iptables_emu.host.host import Host

FRAGMENTATION_NEEDED = (3, 4)
LAST_TYPE4 = 18
MILLISECOND = SECOND // 1000
LEAST_PAUSE = SECOND // 50  # between two looks at the clock for new credit


class Rations:
    """Of one host: per receiver, and of all together."""

    def __init__(self, host: Host, peers: Peers, rng: random.Random) -> None:
        self._host, self._peers, self._rng = host, peers, rng
        self._credit, self._stamp = 0, 0

    def rationed(self, family: int, kind: int, code: int) -> bool:
        """Whether messages of a type are counted at all (icmpv4_mask_allow, icmpv6_mask_allow)."""
        if family == 4 and (kind > LAST_TYPE4 or (kind, code) == FRAGMENTATION_NEEDED):
            return False
        name = "net.ipv4.icmp_ratemask" if family == 4 else "net.ipv6.icmp.ratemask"
        return bool(self._host.sysctls.get(name) >> kind & 1)

    def allow(self, family: int, to: int, message: tuple[int, int], way: Decision, came_by: str, now: int) -> bool:
        """Whether a message (type, code) may be sent to somebody; ``came_by``: the interface of what caused it."""
        if not self.rationed(family, *message) or (came_by == "lo" and family == 4):
            return True
        if came_by != "lo" and not self._overall(now):
            return False
        cost = self._host.sysctls.get(f"net.ipv{family}.icmp{'_' if family == 4 else '.'}ratelimit") * MILLISECOND
        if way.dev != "lo" and not self._peers.of(family, to, now).allow(now, cost):
            return False
        self._credit -= self._rng.randrange(3)  # so that nobody can tell from outside how much there is
        return True

    def _overall(self, now: int) -> bool:
        """icmp_global_allow."""
        if self._credit > 0:
            return True
        passed = min(now - self._stamp, SECOND)
        more = self._host.sysctls.get("net.ipv4.icmp_msgs_per_sec") * passed // SECOND
        if passed < LEAST_PAUSE or not more:
            return False
        self._stamp = now
        self._credit = min(self._credit + more, self._host.sysctls.get("net.ipv4.icmp_msgs_burst"))
        return True
