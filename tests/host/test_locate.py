"""On which line a value stands."""

from __future__ import annotations

import json

import pytest

from iptables_emu.host.locate import Steps, json_line, toml_line

JSON = """{
 "a, {": "\\"}]",
 "list": [1, [2,
   {"x": 3}], {
     "deep": null,
     "last": {}
   }],
 "list2": []
}"""
TOML = """top = 1
[interfaces.eth0]
mtu = 5
[[routes]]
dst = "default"
[[routes]]
dst = "10.0.0.0/8"
via = "x"
[sysctls]
net.ipv4.ip_forward = 1
"net.ipv6.conf.all.forwarding" = 1
[a."b.c"]
d = 1
"""


@pytest.mark.parametrize(
    ("steps", "line"),
    [((), 1), (("a, {",), 2), (("list",), 3), (("list", 1, 0), 3), (("list", 1, 1, "x"), 4), (("list", 2), 4),
     (("list", 2, "deep"), 5), (("list", 2, "last", "none"), 6), (("list", 9), 3), (("list2", 0), 8), (("none",), 1)],
)  # fmt: skip
def test_json(steps: Steps, line: int) -> None:
    json.loads(JSON)
    assert json_line(JSON, steps) == line


@pytest.mark.parametrize(
    ("steps", "line"),
    [(("top",), 1), (("interfaces", "eth0", "mtu"), 3), (("interfaces", "eth0", "none"), 2), (("routes", 0), 4),
     (("routes", 0, "dst"), 5), (("routes", 1, "via"), 8), (("routes", 1, "dev"), 6), (("none",), 1),
     (("sysctls", "net.ipv4.ip_forward"), 10), (("sysctls", "net.ipv6.conf.all.forwarding"), 11),
     (("a", "b.c", "d"), 13)],
)  # fmt: skip
def test_toml(steps: Steps, line: int) -> None:
    assert toml_line(TOML, steps) == line
