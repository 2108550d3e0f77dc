"""The few ``ip`` commands that change a host: addr, route, rule and link, add and del."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from iptables_emu.host.host import Host, HostError
from iptables_emu.model.address import network

OPTIONS = ("via", "dev", "src", "table", "metric", "realm")


def run_ip(host: Host, words: Sequence[str], address: Callable[[str, str, str], None]) -> None:
    """Carry out ``addr add 10.0.0.1/24 dev eth0``, ``route add default via ...`` and the like. HostError."""
    family = 6 if "-6" in words else 4
    words = [w for w in words if w not in ("-4", "-6")]
    try:
        _run(host, words, address, family)
    except HostError:
        raise
    except (ValueError, KeyError, IndexError):
        raise HostError(f"ip {' '.join(words)}: not understood") from None


def _run(host: Host, words: Sequence[str], address: Callable[[str, str, str], None], family: int) -> None:
    if len(words) < 3:
        raise HostError(f"ip {' '.join(words)}: not understood")
    what, op, rest = words[0], words[1], list(words[2:])
    if what.startswith("a"):
        dev = rest[rest.index("dev") + 1]
        address("add" if op == "add" else "del", dev, rest[0])
    elif what.startswith("ro"):
        _route(host, op, rest, family)
    elif what.startswith("ru") and op == "add":
        host.add_rule(" ".join(rest), family)
    elif what.startswith("l") and op == "set":
        _link(host, rest)
    else:
        raise HostError(f"ip {' '.join(words)}: not understood")


def _route(host: Host, op: str, rest: list[str], family: int) -> None:
    given: dict[str, str] = {}
    onlink = "onlink" in rest
    rest = [word for word in rest if word != "onlink"]
    if rest[0] in ("unreachable", "prohibit", "blackhole", "throw", "local", "unicast"):
        given["type"] = rest.pop(0)
    given["dst"] = rest.pop(0)
    if family == 6 and given["dst"] == "default":
        given["dst"] = "::/0"
    for key, value in zip(rest[::2], rest[1::2], strict=False):
        if key in OPTIONS:
            given[key] = value
    if op in ("add", "append", "change", "replace"):
        host.add_route({**given, "onlink": onlink})
        return
    text = "0.0.0.0/0" if given["dst"] == "default" else given["dst"]
    family, value_, plen = network(text)
    fib = host.fibs[family]
    gone = next((r for r in fib.all() if (r.dst, r.plen) == (value_, plen)
                 and given.get("dev", r.dev) == r.dev), None)  # fmt: skip
    if gone is None:
        raise HostError(f"ip route del {text}: no such route")
    fib.remove(iter([gone]))


def _link(host: Host, rest: list[str]) -> None:
    rest = [w for w in rest if w != "dev"]
    interface = host.interfaces[rest[0]]
    if "mtu" in rest:
        interface.mtu = int(rest[rest.index("mtu") + 1])
    if "up" in rest and not interface.up:
        host.set_up(interface)
    if "down" in rest and interface.up:
        host.set_down(interface)
    if "group" in rest:
        interface.group = int(rest[rest.index("group") + 1])
