"""Rules in the manner of kube-proxy: services, endpoints, node ports, masquerading by a mark."""

from __future__ import annotations

import random

from tests.kernel.fuzz.wishes import Wish

ENDPOINTS = ("10.244.1.9", "10.244.1.10", "10.244.1.11", "10.244.2.11", "10.244.2.16")


def ruleset(rng: random.Random) -> tuple[list[str], list[Wish]]:
    """(lines, wishes) of a small cluster's node."""
    wishes: list[Wish] = []
    chains = ["KUBE-MARK-MASQ", "KUBE-NODEPORTS", "KUBE-POSTROUTING", "KUBE-SERVICES"]
    services, ports, tail, rejects = [], [], [], []
    for number in range(rng.randint(1, 4)):
        proto, port = rng.choice(("tcp", "udp")), rng.choice((53, 80, 443, 8080))
        address, name = f"10.96.0.{10 + number}", f"KUBE-SVC-{number}"
        wishes.append({"dst": address, "proto": proto, "dport": port})
        here = f'-d {address}/32 -p {proto} -m {proto} --dport {port} -m comment --comment "ns/svc{number} cluster IP"'
        if rng.random() < 0.2:
            rejects.append(f"-A KUBE-REJECTS {here} -j REJECT --reject-with icmp-port-unreachable")
            continue
        chains.append(name)
        services.append(f"-A KUBE-SERVICES {here} -j {name}")
        tail.append(f"-A {name} ! -s 10.244.0.0/16 {here} -j KUBE-MARK-MASQ")
        if rng.random() < 0.5:
            chains.append(f"KUBE-EXT-{number}")
            node = 30080 + number
            wishes.append(
                {"dst": rng.choice(("192.168.5.3", "10.244.1.1", "127.0.0.1")), "proto": proto, "dport": node}
            )
            ports.append(
                f"-A KUBE-NODEPORTS -p {proto} -m {proto} --dport {node} -m comment --comment ns-svc{number} "
                f"-j KUBE-EXT-{number}"
            )
            tail += (
                [f"-A KUBE-EXT-{number} -j KUBE-MARK-MASQ"]
                if rng.random() < 0.6
                else [
                    f"-A KUBE-EXT-{number} -s 10.244.0.0/16 -j {name}",
                    f"-A KUBE-EXT-{number} -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ",
                ]
            )
            tail.append(f"-A KUBE-EXT-{number} -j {name}")
        endpoints = rng.sample(ENDPOINTS, rng.randint(1, 3))
        sticky = rng.random() < 0.3
        seps = [f"KUBE-SEP-{number}{place}" for place in range(len(endpoints))]
        if sticky:
            tail += [
                f"-A {name} -m recent --rcheck --seconds 10800 --reap --name {sep} --mask 255.255.255.255 "
                f"--rsource -j {sep}"
                for sep in seps
            ]
        for place, (sep, endpoint) in enumerate(zip(seps, endpoints, strict=True)):
            chains.append(sep)
            left = len(endpoints) - place
            nth = f" -m statistic --mode nth --every {left} --packet 0" if left > 1 else ""
            target = rng.choice((port, 9376))
            tail += [
                f'-A {name} -m comment --comment "ns/svc{number} -> {endpoint}:{target}"{nth} -j {sep}',
                f"-A {sep} -s {endpoint}/32 -j KUBE-MARK-MASQ",
                f"-A {sep} -p {proto} -m {proto}"
                + (f" -m recent --set --name {sep} --mask 255.255.255.255 --rsource" if sticky else "")
                + f" -j DNAT --to-destination {endpoint}:{target}",
            ]
    nat = [
        "*nat",
        ":PREROUTING ACCEPT [0:0]",
        ":INPUT ACCEPT [0:0]",
        ":OUTPUT ACCEPT [0:0]",
        ":POSTROUTING ACCEPT [0:0]",
        *(f":{chain} - [0:0]" for chain in chains),
        "-A PREROUTING -j KUBE-SERVICES",
        "-A OUTPUT -j KUBE-SERVICES",
        "-A POSTROUTING -j KUBE-POSTROUTING",
        "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
        *ports,
        "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
        "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0",
        "-A KUBE-POSTROUTING -j MASQUERADE",
        *services,
        "-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS",
        *tail,
        "COMMIT",
    ]
    filters = [
        "*filter",
        ":INPUT ACCEPT [0:0]",
        ":FORWARD ACCEPT [0:0]",
        ":OUTPUT ACCEPT [0:0]",
        ":KUBE-FIREWALL - [0:0]",
        ":KUBE-FORWARD - [0:0]",
        ":KUBE-REJECTS - [0:0]",
        "-A INPUT -m conntrack --ctstate NEW -j KUBE-REJECTS",
        "-A INPUT -j KUBE-FIREWALL",
        "-A FORWARD -j KUBE-FORWARD",
        "-A FORWARD -m conntrack --ctstate NEW -j KUBE-REJECTS",
        "-A OUTPUT -m conntrack --ctstate NEW -j KUBE-REJECTS",
        "-A OUTPUT -j KUBE-FIREWALL",
        "-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
        "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP",
        "-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT",
        "-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        *rejects,
        "COMMIT",
    ]
    return nat + filters, wishes
