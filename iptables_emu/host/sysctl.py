"""Sysctls: the kernel's defaults, what was set, and how "all", "default" and one interface combine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# what a namespace of the kernel has, with rp_filter off and ICMP unlimited as the scenarios assume
DEFAULTS: dict[str, int] = {
    "net.bridge.bridge-nf-call-ip6tables": 1,
    "net.bridge.bridge-nf-call-iptables": 1,
    "net.ipv4.ip_early_demux": 1,
    "net.ipv4.ip_forward": 0,
    "net.ipv4.ip_default_ttl": 64,
    "net.ipv4.icmp_echo_ignore_all": 0,
    "net.ipv4.icmp_echo_ignore_broadcasts": 1,
    "net.ipv4.icmp_errors_use_inbound_ifaddr": 0,
    "net.ipv4.ipfrag_time": 30,
    "net.ipv4.tcp_ecn": 2,
    "net.ipv4.tcp_sack": 1,
    "net.ipv4.tcp_timestamps": 1,
    "net.ipv4.tcp_window_scaling": 1,
    "net.ipv4.fib_multipath_hash_fields": 7,
    "net.ipv6.fib_multipath_hash_fields": 7,
    "net.ipv4.icmp_ratelimit": 1000,
    "net.ipv4.icmp_ratemask": 0,
    "net.ipv4.icmp_msgs_per_sec": 1000,
    "net.ipv4.icmp_msgs_burst": 50,
    "net.ipv6.icmp.ratemask": (1 << 128) - 1 & ~(1 << 2),
    "net.ipv4.route.min_pmtu": 552,
    "net.ipv4.route.min_adv_mss": 256,
    "net.ipv6.route.min_adv_mss": 1220,
    "net.ipv4.route.mtu_expires": 600,
    "net.ipv4.icmp_ignore_bogus_error_responses": 1,
    "net.ipv6.route.mtu_expires": 600,
    "net.ipv6.icmp.echo_ignore_all": 0,
    "net.ipv6.ip6frag_time": 60,
    "net.netfilter.nf_conntrack_frag6_timeout": 60,
    "net.netfilter.nf_conntrack_acct": 0,
    "net.netfilter.nf_conntrack_checksum": 1,
    "net.netfilter.nf_conntrack_generic_timeout": 600,
    "net.netfilter.nf_conntrack_gre_timeout": 30,
    "net.netfilter.nf_conntrack_gre_timeout_stream": 180,
    "net.netfilter.nf_conntrack_icmp_timeout": 30,
    "net.netfilter.nf_conntrack_icmpv6_timeout": 30,
    "net.netfilter.nf_conntrack_max": 262144,
    "net.netfilter.nf_conntrack_timestamp": 0,
    "net.netfilter.nf_conntrack_tcp_be_liberal": 0,
    "net.netfilter.nf_conntrack_tcp_ignore_invalid_rst": 0,
    "net.netfilter.nf_conntrack_tcp_loose": 1,
    "net.netfilter.nf_conntrack_tcp_max_retrans": 3,
    "net.netfilter.nf_conntrack_tcp_timeout_close": 10,
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait": 60,
    "net.netfilter.nf_conntrack_tcp_timeout_established": 432000,
    "net.netfilter.nf_conntrack_tcp_timeout_fin_wait": 120,
    "net.netfilter.nf_conntrack_tcp_timeout_last_ack": 30,
    "net.netfilter.nf_conntrack_tcp_timeout_max_retrans": 300,
    "net.netfilter.nf_conntrack_tcp_timeout_syn_recv": 60,
    "net.netfilter.nf_conntrack_tcp_timeout_syn_sent": 120,
    "net.netfilter.nf_conntrack_tcp_timeout_time_wait": 120,
    "net.netfilter.nf_conntrack_tcp_timeout_unacknowledged": 300,
    "net.netfilter.nf_conntrack_udp_timeout": 30,
    "net.netfilter.nf_conntrack_udp_timeout_stream": 120,
    "net.netfilter.nf_conntrack_sctp_timeout_closed": 10,
    "net.netfilter.nf_conntrack_sctp_timeout_cookie_wait": 3,
    "net.netfilter.nf_conntrack_sctp_timeout_cookie_echoed": 3,
    "net.netfilter.nf_conntrack_sctp_timeout_established": 210,
    "net.netfilter.nf_conntrack_sctp_timeout_shutdown_sent": 3,
    "net.netfilter.nf_conntrack_sctp_timeout_shutdown_recd": 3,
    "net.netfilter.nf_conntrack_sctp_timeout_shutdown_ack_sent": 3,
    "net.netfilter.nf_conntrack_sctp_timeout_heartbeat_sent": 30,
}
CONF_DEFAULTS: dict[str, int] = {
    "rp_filter": 0, "accept_local": 0, "route_localnet": 0, "send_redirects": 1, "shared_media": 1,
    "bc_forwarding": 0, "src_valid_mark": 0, "forwarding": 0, "log_martians": 0,
    "hop_limit": 64, "accept_redirects": 1, "secure_redirects": 1,
}  # fmt: skip


def bits_of(text: str) -> int:
    """A bitmap written as a list, ``0-1,3-127`` (proc_do_large_bitmap). Raises ValueError."""
    bits = 0
    for part in text.strip().split(","):
        low, _, high = part.partition("-")
        for number in range(int(low), int(high or low) + 1) if part else ():
            bits |= 1 << number
    return bits


class Sysctls:
    """Values by their dotted names."""

    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    def update(self, values: Mapping[str, Any]) -> None:
        """Set values in order, with the kernel's side effects ("all" forwarding reaches every interface)."""
        for name, value in values.items():
            try:
                number = bits_of(str(value)) if name == "net.ipv6.icmp.ratemask" else int(str(value).split()[0])
            except (ValueError, IndexError):
                continue  # port ranges, congestion names: nothing here reads them
            if name == "net.ipv4.ip_forward":
                name = "net.ipv4.conf.all.forwarding"
            if name.endswith(".conf.all.forwarding") and number != self.values.get(name, 0):
                head = name.removesuffix("all.forwarding")
                for other in [k for k in self.values if k.startswith(head) and k.endswith(".forwarding")]:
                    del self.values[other]
                if head.startswith("net.ipv4."):  # a router does not listen to redirects (inet_forward_change)
                    self.values[f"{head}all.accept_redirects"] = int(not number)
            self.values[name] = number

    def get(self, name: str) -> int:
        return self.values.get(name, DEFAULTS.get(name, 0))

    def _conf(self, family: int, where: str, key: str) -> int | None:
        return self.values.get(f"net.ipv{family}.conf.{where}.{key}")

    def interface(self, family: int, name: str, key: str) -> int:
        """The value of one interface alone (``conf.NAME.key``)."""
        # a change of IPv6's "default" does not reach the interfaces that are there
        for where in (name, "default") if family == 4 else (name,):
            value = self._conf(family, where, key)
            if value is not None:
                return value
        if key == "forwarding":
            return self._conf(family, "all", key) or 0
        return CONF_DEFAULTS.get(key, 0)

    def all_of(self, family: int, key: str) -> int:
        value = self._conf(family, "all", key)
        return CONF_DEFAULTS.get(key, 0) if value is None else value

    def either(self, family: int, name: str, key: str) -> bool:
        """IN_DEV_ORCONF."""
        return bool(self.all_of(family, key) or self.interface(family, name, key))

    def both(self, family: int, name: str, key: str) -> bool:
        """IN_DEV_ANDCONF."""
        return bool(self.all_of(family, key) and self.interface(family, name, key))

    def greatest(self, family: int, name: str, key: str) -> int:
        """IN_DEV_MAXCONF."""
        return max(self.all_of(family, key), self.interface(family, name, key))

    def forwarding(self, family: int, name: str) -> bool:
        """Whether packets that came in by this interface are forwarded."""
        if family == 6:
            return bool(self.all_of(6, "forwarding"))
        return bool(self.interface(4, name, "forwarding"))
