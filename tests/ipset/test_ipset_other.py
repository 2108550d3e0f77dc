"""Types that the recording kernel lacks (after ip_set_hash_*.c and the manual), time, and what hosts give."""

from __future__ import annotations

import pytest

from iptables_emu.host.host import Host, HostError
from iptables_emu.host.ipset import IpSets
from iptables_emu.text.ipset.load import bring_back, keep, load_sets
from iptables_emu.text.ipset.program import run_ipset

SECOND = 1_000_000_000

# type, words of add, words of test, whether it is in
CASES = """
hash:mac            ; 00:11:22:33:44:55                ; 00:11:22:33:44:55                ; yes
hash:mac            ; 00:11:22:33:44:55                ; 00:11:22:33:44:56                ; no
hash:ip,mac         ; 10.0.0.1,00:11:22:33:44:55       ; 10.0.0.1,00:11:22:33:44:55       ; yes
hash:ip,mac         ; 10.0.0.1,00:11:22:33:44:55       ; 10.0.0.2,00:11:22:33:44:55       ; no
hash:ip,mark        ; 10.0.0.1,0x10                    ; 10.0.0.1,16                      ; yes
hash:ip,mark        ; 10.0.0.0/30,1                    ; 10.0.0.3,1                       ; yes
hash:ip,mark        ; 10.0.0.0/30,1                    ; 10.0.0.4,1                       ; no
hash:net,net        ; 10.0.0.0/8,192.168.0.0/16        ; 10.1.1.1,192.168.5.5             ; yes
hash:net,net        ; 10.0.0.0/8,192.168.0.0/16        ; 10.1.1.1,192.169.5.5             ; no
hash:net,net        ; 10.0.0.1-10.0.0.6,1.1.1.1        ; 10.0.0.5,1.1.1.1                 ; yes
hash:net,port,net   ; 10.0.0.0/8,udp:53,192.168.0.0/16 ; 10.1.1.1,udp:53,192.168.5.5      ; yes
hash:net,port,net   ; 10.0.0.0/8,udp:53,192.168.0.0/16 ; 10.1.1.1,tcp:53,192.168.5.5      ; no
hash:net,port,net   ; 0.0.0.0/0,80-81,0.0.0.0/0        ; 1.2.3.4,81,5.6.7.8               ; yes
"""


@pytest.mark.parametrize("line", CASES.strip().splitlines())
def test_types_that_few_kernels_have(line: str) -> None:
    kind, added, asked, answer = (part.strip() for part in line.split(";"))
    sets = IpSets()
    assert run_ipset(["ipset", "create", "a", kind], sets).rc == 0
    assert run_ipset(["ipset", "add", "a", added], sets).rc == 0
    result = run_ipset(["ipset", "test", "a", asked], sets)
    assert ("NOT" not in result.stderr) is (answer == "yes"), result.stderr
    assert result.rc == (0 if answer == "yes" else 1)
    saved = run_ipset(["ipset", "save"], sets).stdout
    again = IpSets()
    assert run_ipset(["ipset", "restore"], again, lambda: saved).rc == 0
    assert run_ipset(["ipset", "save"], again).stdout == saved


def run(sets: IpSets, words: str) -> int:
    return run_ipset(words.split(), sets).rc


def members(sets: IpSets) -> list[str]:
    return run_ipset(["ipset", "list", "a"], sets).stdout.partition("Members:\n")[2].splitlines()


@pytest.mark.parametrize("kind", ["hash:ip", "bitmap:ip range 10.0.0.0/28"])
def test_elements_run_out(kind: str) -> None:
    sets = IpSets(now=1000 * SECOND)
    run(sets, f"ipset create a {kind} timeout 10")
    run(sets, "ipset add a 10.0.0.1")
    run(sets, "ipset add a 10.0.0.2 timeout 0")
    sets.now += 4 * SECOND
    assert sorted(members(sets)) == ["10.0.0.1 timeout 6", "10.0.0.2 timeout 0"]
    sets.now += 7 * SECOND
    assert members(sets) == ["10.0.0.2 timeout 0"]
    assert run(sets, "ipset test a 10.0.0.1") == 1
    assert run(sets, "ipset add a 10.0.0.1") == 0


def test_kept_sets_come_back() -> None:
    sets = IpSets(now=1000 * SECOND)
    for words in (
        "create a hash:net timeout 100 forceadd counters comment",
        "add a 10.0.0.0/8 packets 4 comment x",
        "create l list:set",
        "add l a",
    ):
        assert run_ipset(["ipset", *words.split()], sets).rc == 0
    sets.now += SECOND // 2
    back = bring_back(keep(sets), sets.now)
    for words in (["save"], ["list"]):
        assert run_ipset(["ipset", *words], back).stdout == run_ipset(["ipset", *words], sets).stdout
    assert back.get("a").forceadd


def test_a_host_brings_its_sets() -> None:
    host = Host.from_dict({"ipsets": "create a hash:ip\nadd a 10.0.0.1\n"})
    load_sets(host, 0)
    assert dict(host.ipsets.families()) == {"a": 4}
    with pytest.raises(HostError, match="line 1"):
        load_sets(Host.from_dict({"ipsets": "create a hash:nix\n"}), 0)


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ("hash:net,port", "hash:net,port family inet6", 0),
        ("hash:ip", "hash:ip family inet6", 0),
        ("hash:ip", "hash:ip netmask 32", 0),
        ("hash:ip bitmask 255.255.0.0", "hash:ip netmask 16", 0),
        ("hash:ip netmask 24", "hash:ip", 1),
        ("hash:ip netmask 24", "hash:ip family inet6 netmask 24", 1),
    ],
)
def test_a_set_that_is_there_with_other_words(first: str, second: str, status: int) -> None:
    """Measured: ``create -exist`` compares neither family nor sizes, and masks as 128 bits."""
    sets = IpSets(0)
    assert run_ipset(["ipset", "create", "x", *first.split()], sets).rc == 0
    assert run_ipset(["ipset", "create", "x", *second.split(), "-exist"], sets).rc == status
