"""Every target has a table for the kernel, ``ext/NAME.k``, or is named here with the reason why it has none."""

from importlib import import_module

from iptables_emu.ext.registry import names
from tests.kernel.tables import HERE, scenarios

# what no kernel that is at hand has
ABSENT = {
    "AUDIT": "needs a kernel with audit",
    "CLUSTERIP": "gone since Linux 6.3",
    "CONNSECMARK": "needs a security module",
    "LED": "needs a kernel with LED triggers",
    "MIRROR": "gone since Linux 2.5",
    "SECMARK": "needs a security module",
    "ULOG": "gone since Linux 3.17",
}


def targets() -> set[str]:
    modules = (import_module(f"iptables_emu.ext.targets.{name}") for name in names("targets"))
    return {one.NAME for module in modules for one in module.EXTENSIONS}


def test_every_target_has_a_table_or_a_reason() -> None:
    tables = {path.stem for path in HERE.glob("*.k") if path.stem != path.stem.lower()}
    assert tables - {"STANDARD"} == targets() - ABSENT.keys()
    assert ABSENT.keys() <= targets()


def test_tables_of_targets_are_for_all_their_families() -> None:
    for path in HERE.glob("*.k"):
        if path.stem != path.stem.lower() and path.stem != "STANDARD":
            found = {name.split("-")[2] for name, _ in scenarios(path)}
            module = import_module(f"iptables_emu.ext.targets.{path.stem.lower()}")
            assert found == {f"ipv{family}" for one in module.EXTENSIONS for family in one.FAMILIES}, path.name
