"""What a connecting socket of the host sends first, and what a listening one answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from iptables_emu.engine.asked import Said
from iptables_emu.model.address import network
from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.packet.headers import ipv4, ipv6, tcp
from iptables_emu.packet.packet import TCP, UDP, Packet, pseudo_header
from iptables_emu.packet.tcp_options import MSS, NOP, SACK, TIMESTAMP, WSCALE, option_values

if TYPE_CHECKING:
    from random import Random

    from iptables_emu.engine.emulator import Engine
    from iptables_emu.host.fib import Route
    from iptables_emu.host.host import Host

SYN_ACK, ECE, ECN_ASKED = 0x12, 0x40, 0xC0
SPACE = 65536  # half of tcp_rmem's default
SCALE = 10  # for tcp_rmem's largest, 32 MiB
# MSS, SACK permitted, timestamps, window scale: Linux's SYN
_TAIL = b"\x04\x02\x08\x0a"


def connect_packet(host: Host, engine: Engine, value: Mapping[str, Any]) -> Packet | str:
    """The datagram, or the SYN; a text is the error of the call. ``sport`` 0 is drawn from the local range."""
    family, dst, _ = network(value["dst"])
    mark = value.get("mark", 0)
    src = network(value["src"])[1] if value.get("src") else 0
    if not src:
        probe = ipv4(0, dst, UDP, bytes(8)) if family == 4 else ipv6(0, dst, UDP, bytes(8))
        kind = {"tcp": TCP, "udp": UDP}[value["proto"]]
        said = Said(kind, value.get("sport", 0), value["dport"], value.get("uid", 0))
        decision = engine.path.routing.output(Packet(probe, mark=mark), said=said)
        if decision.kind not in ("forward", "local"):
            return decision.text
        src = decision.source(host, dst) or 0
        if not src:
            return "Cannot assign requested address"
    sport = value.get("sport", 0) or engine.machine.rng.randrange(32768, 61000)
    ports = sport.to_bytes(2, "big") + int(value["dport"]).to_bytes(2, "big")
    if value["proto"] == "tcp":
        mss = advertised_mss(host, family, dst)
        stamp = engine.machine.rng.randbytes(4) + bytes(4)
        options = b"\x02\x04" + mss.to_bytes(2, "big") + _TAIL + stamp + bytes((1, 3, 3, SCALE))
        window = first_window(mss)
        seq = engine.machine.rng.getrandbits(32)
        syn = Packet(tcp(family, src, dst, ports, seq, 0, 2, window, options), mark=mark)
        syn.pending_checksum = True
        return syn if family == 6 or _discovers(host, dst, 0) else _without_df(syn)
    payload = value.get("payload", "").encode()
    segment = ports + (8 + len(payload)).to_bytes(2, "big") + b"\0\0" + payload
    check = internet_checksum(pseudo_header(family, src, dst, UDP, len(segment)) + segment) or 0xFFFF
    segment = segment[:6] + check.to_bytes(2, "big") + segment[8:]
    if family == 6:
        return Packet(ipv6(src, dst, UDP, segment), mark=mark)
    return Packet(ipv4(src, dst, UDP, segment, df=_discovers(host, dst, len(segment) + 20)), mark=mark)


def syn_ack(host: Host, pkt: Packet, syn: bytes, rng: Random) -> tuple[int, int, bytes]:
    """What a listener answers: flags, window, and options as far as the SYN has them (tcp_synack_options)."""
    get, asked = host.sysctls.get, option_values(syn)
    stamped = TIMESTAMP in asked and bool(get("net.ipv4.tcp_timestamps"))
    sack = SACK in asked and bool(get("net.ipv4.tcp_sack"))
    mss = advertised_mss(host, pkt.family, pkt.src)
    out = bytes((MSS, 4)) + mss.to_bytes(2, "big")
    if stamped:
        out += bytes((SACK, 2) if sack else (NOP, NOP)) + bytes((TIMESTAMP, 10))
        out += rng.randbytes(4) + asked[TIMESTAMP][:4]
    elif sack:
        out += bytes((NOP, NOP, SACK, 2))
    if WSCALE in asked and get("net.ipv4.tcp_window_scaling"):
        out += bytes((NOP, WSCALE, 3, SCALE))
    ecn = syn[13] & ECN_ASKED == ECN_ASKED and not syn[12] & 15 and not pkt.tos & 3 and get("net.ipv4.tcp_ecn")
    return SYN_ACK | (ECE if ecn else 0), first_window(mss - (12 if stamped else 0)), out


def _without_df(pkt: Packet) -> Packet:
    pkt.data[6] &= ~0x40 & 0xFF
    pkt.refresh_ip_checksum()
    return pkt


def first_window(mss: int) -> int:
    """The window that a SYN offers: whole segments out of the default buffer (tcp_select_initial_window)."""
    return min(SPACE // mss * mss, 65535)


def _discovers(host: Host, dst: int, size: int) -> bool:
    """Whether a datagram is sent so that nobody may fragment it (ip_dont_fragment)."""
    route = host.route_to(4, dst)
    if route is None or host.sysctls.get("net.ipv4.ip_no_pmtu_disc"):
        return False
    return not route.mtu_locked and size <= host.exceptions.mtu(route, _dev(route))


def _dev(route: Route) -> str:
    return "lo" if route.type == "local" else route.dev


def advertised_mss(host: Host, family: int, dst: int) -> int:
    """The MSS that TCP asks for (ipv4_default_advmss, ip6_default_advmss)."""
    route = host.route_to(family, dst)
    mtu = host.exceptions.mtu(route, _dev(route) if route else "lo")
    if family == 4:
        return min(max(mtu - 40, host.sysctls.get("net.ipv4.route.min_adv_mss")), 65535 - 40)
    return min(max(mtu - 60, host.sysctls.get("net.ipv6.route.min_adv_mss")), 65535 - 20)
