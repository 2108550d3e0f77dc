"""The kernel's refusals in ipset's words (libipset: errcode.c)."""

from __future__ import annotations

from iptables_emu.text.strerror import STRERROR

_BY_COMMAND = {
    ("EEXIST", "create"): "Set cannot be created: set with the same name already exists",
    ("BUSY", "destroy"): "Set cannot be destroyed: it is in use by a kernel component",
    ("EXIST_SETNAME2", "rename"): "Set cannot be renamed: a set with the new name already exists",
    ("REFERENCED", "rename"): "Set cannot be renamed: it is in use by another system",
    ("EXIST_SETNAME2", "swap"): "Sets cannot be swapped: the second set does not exist",
    ("TYPE_MISMATCH", "swap"): "The sets cannot be swapped: their type does not match",
    ("EXIST", "add"): "Element cannot be added to the set: it's already added",
    ("EXIST", "del"): "Element cannot be deleted from the set: it's not added",
    ("BITMAP_RANGE_SIZE", "create"): "The range you specified exceeds the size limit of the set type",
}
_ALWAYS = {
    "ENOENT": "The set with the given name does not exist",
    "EMSGSIZE": "Kernel error received: message could not be created",
    "ERANGE": "The specified range is too large, split it up into smaller ranges",
    "PROTOCOL": "Kernel error received: ipset protocol error",
    "FIND_TYPE": "Kernel error received: set type not supported",
    "MAX_SETS": "Kernel error received: maximal number of sets reached, cannot create more.",
    "INVALID_NETMASK": "The value of the netmask parameter is invalid",
    "INVALID_MARKMASK": "The value of the markmask parameter is invalid",
    "INVALID_FAMILY": "Protocol family not supported by the set type",
    "BITMASK_NETMASK_EXCL": "netmask and bitmask options are mutually exclusive, provide only one",
    "INVALID_CIDR": "The value of the CIDR parameter of the IP address is invalid",
    "TIMEOUT": "Timeout cannot be used: set was created without timeout support",
    "COUNTER": "Packet/byte counters cannot be used: set was created without counter support",
    "COMMENT": "Comment cannot be used: set was created without comment support",
    "SKBINFO": "Skbinfo mapping cannot be used: set was created without skbinfo support",
    "BITMAP_RANGE": "Element is out of the range of the set",
    "HASH_FULL": "Hash is full, cannot add more elements",
    "HASH_ELEM": "Null-valued element, cannot be stored in a hash type of set",
    "INVALID_PROTO": "Invalid protocol specified",
    "MISSING_PROTO": "Protocol missing, but must be specified",
    "HASH_RANGE_UNSUPPORTED": 'Range is not supported in the "net" component of the element',
    "HASH_RANGE": "Invalid range, covers the whole address space",
    "NAME": "Set to be added/deleted/tested as element does not exist.",
    "LOOP": "Sets with list:set type cannot be added to the set.",
    "BEFORE": "No reference set specified.",
    "NAMEREF": "The set to which you referred with 'before' or 'after' does not exist.",
    "LIST_FULL": "The set is full, more elements cannot be added.",
    "REF_EXIST": "The set to which you referred with 'before' or 'after' is not added to the set.",
}


def explain(code: str, command: str) -> str:
    """What ipset says to the kernel's refusal of a command."""
    text = _BY_COMMAND.get((code, command)) or _ALWAYS.get(code)
    return text or f"Kernel error received: {STRERROR.get(code, 'Cannot allocate memory')}"
