"""BER as the kernel's decoder takes it, and SNMP's addresses in it."""

from __future__ import annotations

import pytest

from iptables_emu.conntrack.helpers.ber import BadBer, Ber
from iptables_emu.conntrack.helpers.snmp import addresses

HEAD = bytes.fromhex("020101 04067075626c6963")
NUMBERS = bytes.fromhex("020101 020100 020100")


def element(tag: int, data: bytes) -> bytes:
    return bytes([tag, len(data)]) + data


def message(*values: bytes) -> bytes:
    variables = b"".join(element(0x30, element(6, b"\x2b") + value) for value in values)
    return element(0x30, HEAD + element(0xA2, NUMBERS + element(0x30, variables)))


def test_addresses_are_found() -> None:
    data = message(element(0x40, b"abcd"), element(2, b"\1"), element(0x40, b"efgh"))
    assert [data[at : at + 4] for at in addresses(data)] == [b"abcd", b"efgh"]


@pytest.mark.parametrize(
    "data",
    [
        message(),  # a list holds one variable at least
        message(element(0x40, b"abc")),
        message(element(0x45, b"")),
        message(element(2, b"\1"))[:-1],
        b"",
    ],
)
def test_what_cannot_be_read(data: bytes) -> None:
    with pytest.raises(BadBer):
        addresses(data)


def test_what_may_be_missing() -> None:
    assert addresses(element(0x30, HEAD)) == []
    assert addresses(message(b"")) == []
    assert addresses(message(element(5, b"")) + b"more") == []


def test_indefinite_lengths() -> None:
    ber = Ber(bytes.fromhex("3080 020105 0000"))
    state = ber.enter(0x30)
    assert ber.leaf(2) == (4, 5)
    assert not ber.more(state)
    ber.leave(state)
    assert ber.done()
    with pytest.raises(BadBer):
        Ber(bytes.fromhex("0280 0000")).leaf(2)
