"""What the kernel remembers of other hosts to ration ICMP: redirects and "no route" (kernel: inetpeer.c, route.c)."""

from __future__ import annotations

from dataclasses import dataclass

SECOND = 1_000_000_000
ERROR_COST, ERROR_BURST, PEER_BURST = SECOND, 5 * SECOND, 6
REDIRECT_LOAD, REDIRECT_MOST, REDIRECT_SILENCE = SECOND // 50, 9, (SECOND // 50) << 10
LONG_AGO = 60 * SECOND


@dataclass(slots=True)
class Peer:
    """Both rations share the time ``last``."""

    last: int
    tokens: int = 0
    redirects: int = 0

    def may_refuse(self, now: int) -> bool:
        """Whether an error of the routing decision may be sent (ip_error): five at once, then one a second."""
        self.tokens = min(ERROR_BURST, self.tokens + now - self.last)
        self.last = now
        if self.tokens < ERROR_COST:
            return False
        self.tokens -= ERROR_COST
        return True

    def allow(self, now: int, cost: int) -> bool:
        """Whether one more ICMPv6 message may be sent (inet_peer_xrlim_allow): six at once, then one each ``cost``.

        A cost of nothing allows all, and takes away what had been saved up.
        """
        self.tokens = min(PEER_BURST * cost, self.tokens + now - self.last)
        self.last = now
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True

    def may_redirect(self, now: int) -> bool:
        """Whether a redirect may be sent (ip_rt_send_redirect): ever more seldom, then no more."""
        if now > self.last + REDIRECT_SILENCE:
            self.tokens = self.redirects = 0
        if self.redirects >= REDIRECT_MOST:
            self.last = now
            return False
        if self.redirects and now <= self.last + (REDIRECT_LOAD << self.redirects):
            return False
        self.last = now
        self.redirects += 1
        return True


class Peers:
    """All of them, by family and address."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Peer] = {}

    def of(self, family: int, address: int, now: int) -> Peer:
        return self._known.setdefault((family, address), Peer(now - LONG_AGO))
