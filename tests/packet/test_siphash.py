"""SipHash against its authors' test vectors."""

import pytest

from iptables_emu.packet.siphash import siphash

KEY = (0x0706050403020100, 0x0F0E0D0C0B0A0908)


@pytest.mark.parametrize(
    ("size", "expected"), [(15, 0xA129CA6149BE45E5), (0, 0x726FDB47DD0E0E31), (8, 0x93F5F5799A932462)]
)
def test_vectors(size: int, expected: int) -> None:
    assert siphash(bytes(range(size)), KEY) == expected
