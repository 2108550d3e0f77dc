"""How long dumps take: ``python tests/bench/restore.py [RULES]`` (processor time, the best of three).

The dump has the shape of kube-proxy's: a chain a service and a chain an endpoint.
"""

import gc
import random
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from iptables_emu.model.ruleset import Ruleset
from iptables_emu.store.codec import decode_rule, encode_rule
from iptables_emu.text.argv import Parser
from iptables_emu.text.lexer import words
from iptables_emu.text.listing import Format, list_table

T = TypeVar("T")


def dump(rules: int) -> str:
    """About that many rules in table nat."""
    chance = random.Random(1)
    chains, lines = ["KUBE-SERVICES", "KUBE-MARK-MASQ"], ["-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"]
    service = 0
    while len(lines) < rules:
        service += 1
        name, port = f"team-{service % 40}/app-{service}:http", chance.choice([80, 443, 8080, 9090, 5432])
        cluster, top = f"10.96.{service >> 8 & 255}.{service & 255}", f"KUBE-SVC-{service:016X}"
        note = f'-m comment --comment "{name} cluster IP"'
        lines.append(f"-A KUBE-SERVICES -d {cluster}/32 -p tcp {note} -m tcp --dport {port} -j {top}")
        mark = f"! -s 10.244.0.0/16 -d {cluster}/32 -p tcp {note} -m tcp --dport {port} -j KUBE-MARK-MASQ"
        lines.append(f"-A {top} {mark}")
        chains.append(top)
        for left in range(3, 0, -1):
            pod = f"10.244.{chance.randrange(256)}.{chance.randrange(1, 255)}"
            end = f"KUBE-SEP-{service:013X}{left:03X}"
            share = f" -m statistic --mode random --probability {1 / left:.11f}" if left > 1 else ""
            lines.append(f'-A {top} -m comment --comment "{name} -> {pod}:{port}"{share} -j {end}')
            lines.append(f'-A {end} -s {pod}/32 -m comment --comment "{name}" -j KUBE-MARK-MASQ')
            lines.append(f'-A {end} -p tcp -m comment --comment "{name}" -m tcp -j DNAT --to-destination {pod}:{port}')
            chains.append(end)
    declared = "".join(f":{chain} - [0:0]\n" for chain in chains)
    return "*nat\n" + declared + "\n".join(lines) + "\nCOMMIT\n"


def best(what: str, number: int, do: Callable[[], T]) -> T:
    """Print the time of ``do``, and what it is for each of ``number`` things."""
    times = []
    for _ in range(3):
        gc.collect()
        gc.disable()  # as a restore does
        start = time.process_time()
        result = do()
        times.append(time.process_time() - start)
        gc.enable()
    print(f"{what:<34} {min(times):7.3f} s {min(times) / number * 1e6:7.2f} us each")
    return result


def main() -> None:
    rules = int(sys.argv[1]) if len(sys.argv) > 1 else 75_000
    text = dump(rules)
    lines = [line + "\n" for line in text.splitlines() if line.startswith("-A")]
    print(f"{len(text.splitlines())} lines, {len(lines)} rules")
    found = best("words", len(lines), lambda: [words(line) for line in lines])
    argvs = [["iptables-restore", "-t", "nat", *each] for each in found]
    parser = Parser(4, "nft", "iptables-restore", "", restore=True)
    best("parse", len(lines), lambda: [parser.parse(argv, "nat") for argv in argvs])
    for personality in ("legacy", "nft"):
        ruleset = best(f"restore ({personality})", len(lines), lambda kind=personality: Ruleset.loads(text, 4, kind))
    table = ruleset.get(4, "nat")
    assert table is not None
    best("save", len(lines), ruleset.dumps)
    best("list -n", len(lines), lambda: list_table(table, table.listed(), 0, Format(numeric=True)))
    every = [rule for chain in table.chains.values() for rule in chain.rules]
    stored = best("to the state file's form", len(every), lambda: [encode_rule(rule) for rule in every])
    best("and back", len(every), lambda: [decode_rule(data, 4) for data in stored])


main()
