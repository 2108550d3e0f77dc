"""Whatever bytes come by a wire or from a raw socket, the emulator decides about them: it never fails."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iptables_emu.packet.build import build
from iptables_emu.packet.checksum import internet_checksum
from iptables_emu.scenario.emulate import emulate

HOST = {
    "interfaces": {
        "eth0": {"addresses": ["192.168.5.3/24", "2001:db8:5::3/64", "fe80::3/64"]},
        "eth1": {"addresses": ["10.8.0.1/24", "2001:db8:8::1/64"], "mtu": 1280},
    },
    "routes": [
        {"dst": "0.0.0.0/0", "via": "192.168.5.1", "dev": "eth0"},
        {"dst": "::/0", "via": "fe80::9", "dev": "eth0"},
    ],
    "sysctls": {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1},
}
ETHERNET = bytes.fromhex("02000000000102000000fe01")
MATCHES = (
    "-p tcp -m tcp --dport 1:80 --tcp-flags SYN,ACK SYN",
    "-p tcp -m tcp --tcp-option 2",
    "-p tcp -m tcpmss --mss 1:9000",
    "-p udp -m udp ! --sport 53",
    "-p udp -m multiport --ports 1:80",
    "-p sctp -m sctp --chunk-types any INIT",
    "-p dccp -m dccp --dccp-types REQUEST",
    "-m length --length 0:100",
    "-m conntrack --ctstate INVALID",
    "-m conntrack --ctstate RELATED,NEW",
    "-m string --algo bm --string abc",
    "-m u32 --u32 0x0>>0x16&0x3c@0x0=0x0:0xff",
    "-m ecn --ecn-ip-ect 1",
    "-m hashlimit --hashlimit-above 1/sec --hashlimit-mode srcip,srcport --hashlimit-name a",
)
MATCHES4 = ("-f", "-p icmp -m icmp --icmp-type 8", "-m ttl --ttl-lt 5", "-p ah -m ah --ahspi 1:9")
MATCHES6 = (
    "-p ipv6-icmp -m icmp6 --icmpv6-type 128",
    "-m hl --hl-lt 5",
    "-m frag --fragfirst",
    "-m rt --rt-type 0",
    "-m hbh --hbh-len 8",
    "-m dst --dst-len 8",
    "-m ipv6header --header frag,route --soft",
    "-p mh -m mh --mh-type 1:3",
)
ENDS = ("LOG --log-ip-options --log-tcp-options --log-tcp-sequence", "REJECT", "TCPMSS", "HMARK", "SNAT")


def ruleset(family: int, end: str) -> list[str]:
    """Rules that read every header, and one that answers, translates or rewrites."""
    matches = MATCHES + (MATCHES4 if family == 4 else MATCHES6)
    lines = ["*filter", *(f"-A {hook} {match}" for hook in ("INPUT", "FORWARD", "OUTPUT") for match in matches)]
    if end == "REJECT":
        for hook in ("INPUT", "FORWARD"):
            lines += [f"-A {hook} -p tcp -j REJECT --reject-with tcp-reset", f"-A {hook} -j REJECT"]
    elif end.startswith("LOG"):
        lines += [f"-A {hook} -j {end}" for hook in ("INPUT", "FORWARD", "OUTPUT")]
    lines.append("COMMIT")
    if end == "TCPMSS":
        lines += [
            "*mangle",
            "-A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
            "-A PREROUTING -p tcp -j TCPOPTSTRIP --strip-options 2,3",
            "-A PREROUTING -j DSCP --set-dscp 3",
            "COMMIT",
        ]
    elif end == "HMARK":
        lines += [
            "*mangle",
            "-A PREROUTING -j HMARK --hmark-tuple src,dst,sport,dport,proto --hmark-mod 7 --hmark-rnd 1",
            "COMMIT",
        ]
    elif end == "SNAT":
        to = ("10.8.0.9", "10.8.0.77") if family == 4 else ("2001:db8:8::9", "2001:db8:8::77")
        lines += [
            "*nat",
            f"-A PREROUTING -j DNAT --to-destination {to[0]}",
            f"-A POSTROUTING -j SNAT --to-source {to[1]}",
            "-A OUTPUT -p udp -j REDIRECT",
            "COMMIT",
        ]
    return lines


def sound(family: int, proto: str, dst: int) -> bytes:
    ends = (
        ("192.168.5.9", ("192.168.5.3", "10.8.0.9", "224.0.0.1")[dst])
        if family == 4
        else ("2001:db8:5::a", ("2001:db8:5::3", "2001:db8:8::9", "ff02::1")[dst])
    )
    fields: dict[str, Any] = {"src": ends[0], "dst": ends[1], "proto": proto, "payload": "abcabcabc"}
    if proto in ("tcp", "udp"):
        fields |= {"sport": 4000, "dport": 80}
    if proto == "icmp" and family == 6:
        fields["proto"] = "icmpv6"
    return build(fields)


@st.composite
def packets(draw: st.DrawFn, family: int) -> bytes:
    """A packet of the family: any bytes, or a sound one that is bent, cut, or has options or headers put in."""
    nibble = bytes((0x45 if family == 4 else 0x60,))
    if draw(st.integers(0, 3)) == 0:
        return nibble + draw(st.binary(max_size=120))
    data = bytearray(
        sound(family, draw(st.sampled_from(("tcp", "udp", "icmp", "sctp", "gre"))), draw(st.integers(0, 2)))
    )
    head = 20 if family == 4 else 40
    if draw(st.booleans()):
        extra = draw(st.binary(min_size=4, max_size=40))
        extra = extra[: len(extra) & ~(3 if family == 4 else 7)]
        if family == 4:
            data[0] = 0x45 + len(extra) // 4
        elif extra:
            extra = bytes((data[6],)) + extra[1:]
            data[6] = draw(st.sampled_from((0, 43, 44, 51, 59, 60)))
        data[head:head] = extra
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(1, len(data) - 1))] = draw(st.integers(0, 255))
    if draw(st.booleans()):
        del data[draw(st.integers(head, len(data))) :]
    if draw(st.booleans()) and len(data) >= head:
        data[2:4] = len(data).to_bytes(2, "big") if family == 4 else data[2:4]
        data[4:6] = (len(data) - 40).to_bytes(2, "big") if family == 6 else data[4:6]
    size = (data[0] & 15) * 4
    if family == 4 and len(data) >= size >= 20:
        data[10:12] = b"\0\0"
        data[10:12] = internet_checksum(bytes(data[:size])).to_bytes(2, "big")
    return bytes(data)


def run(family: int, end: str, backend: str, steps: list[dict[str, Any]]) -> dict[str, Any]:
    return emulate(
        {
            "host": HOST,
            "backend": backend,
            "steps": steps,
            "rulesets": {"ipv4" if family == 4 else "ipv6": ruleset(family, end)},
        }
    )


@pytest.mark.parametrize("backend", ["nft", "legacy"])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("family", [4, 6])
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_packets_never_make_it_fail(family: int, end: str, backend: str, data: st.DataObject) -> None:
    ether = b"\x08\0" if family == 4 else b"\x86\xdd"
    steps: list[dict[str, Any]] = []
    for packet in data.draw(st.lists(packets(family), min_size=1, max_size=6)):
        if data.draw(st.integers(0, 5)):
            steps.append({"inject": {"iface": "eth0", "frame_hex": (ETHERNET + ether + packet).hex()}})
        else:
            steps.append({"send_local": {"packet_hex": packet.hex()}})
    seen = run(family, end, backend, steps)
    assert seen["load"]["rc"] == 0, seen["load"]
    assert len(seen["steps"]) == len(steps)
    assert not any("unknown" in packet["fate"] for step in seen["steps"] for packet in step["packets"])


@given(frames=st.lists(st.binary(max_size=200), min_size=1, max_size=8), backend=st.sampled_from(["nft", "legacy"]))
@settings(max_examples=100, deadline=None)
def test_any_frame_is_taken(frames: list[bytes], backend: str) -> None:
    steps = [{"inject": {"iface": "eth0", "frame_hex": frame.hex()}} for frame in frames]
    assert len(run(4, "REJECT", backend, steps)["steps"]) == len(frames)


@given(
    pieces=st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 40), st.booleans(), st.booleans()), min_size=1, max_size=9
    ),
    family=st.sampled_from([4, 6]),
    end=st.sampled_from(ENDS),
)
@settings(max_examples=150, deadline=None)
def test_fragments_in_any_order(pieces: list[tuple[int, int, bool, bool]], family: int, end: str) -> None:
    steps = []
    for offset, size, more, inward in pieces:
        payload = b"x" * size
        word = offset * 8 | more if family == 6 else more << 13 | offset
        if family == 4:
            head = bytearray(sound(4, "udp", inward)[:20])
            head[2:4], head[6:8], head[10:12] = (20 + size).to_bytes(2, "big"), word.to_bytes(2, "big"), b"\0\0"
            head[10:12] = internet_checksum(bytes(head)).to_bytes(2, "big")
        else:
            head = bytearray(sound(6, "udp", inward)[:40])
            head[4:6], head[6] = (8 + size).to_bytes(2, "big"), 44
            head += bytes((17, 0)) + word.to_bytes(2, "big") + bytes(4)
        steps.append({"inject": {"iface": "eth0", "packet_hex": (bytes(head) + payload).hex()}})
    assert len(run(family, end, "legacy", steps)["steps"]) == len(steps)
