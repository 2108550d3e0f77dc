"""The Internet checksum, against the words of RFC 1071."""

import pytest

from iptables_emu.packet.checksum import internet_checksum


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("", 0xFFFF),
        ("0000", 0xFFFF),
        ("ffff", 0x0000),
        ("ffffffff", 0x0000),
        ("0001f203f4f5f6f7", 0x220D),  # the example of RFC 1071
        ("ab", 0x54FF),  # an odd last byte is the high half of a word
        ("45000073000040004011" + "0000" + "c0a80001c0a800c7", 0xB861),  # an IPv4 header, its checksum left out
    ],
)
def test_value(data: str, value: int) -> None:
    assert internet_checksum(bytes.fromhex(data)) == value


@pytest.mark.parametrize("data", [b"ab", b"abcdef", b"\0\0\1\2", bytes(range(200))])
def test_data_with_its_checksum_sums_to_nothing(data: bytes) -> None:
    assert internet_checksum(data + internet_checksum(data).to_bytes(2, "big")) == 0
