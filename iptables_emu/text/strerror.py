"""What iptables says when an operation fails (libiptc: iptc_strerror; iptables-nft: nft_strerror)."""

from __future__ import annotations

STRERROR = {
    "EPERM": "Operation not permitted",
    "ENOENT": "No such file or directory",
    "E2BIG": "Argument list too long",
    "EBUSY": "Device or resource busy",
    "EEXIST": "File exists",
    "EINVAL": "Invalid argument",
    "EMLINK": "Too many links",
    "ERANGE": "Numerical result out of range",
    "ENOTEMPTY": "Directory not empty",
    "ELOOP": "Too many levels of symbolic links",
    "EOVERFLOW": "Value too large for defined data type",
    "EPROTONOSUPPORT": "Protocol not supported",
    "EOPNOTSUPP": "Operation not supported",
    "ENAMETOOLONG": "File name too long",
    "ENOSPC": "No space left on device",
    "ENXIO": "No such device or address",
}

_LEGACY = {
    ("delete_chain", "ENOTEMPTY"): "Chain is not empty",
    ("create_chain", "EEXIST"): "Chain already exists",
    ("insert_entry", "E2BIG"): "Index of insertion too big",
    ("replace_entry", "E2BIG"): "Index of replacement too big",
    ("delete_num_entry", "E2BIG"): "Index of deletion too big",
    ("zero_counter", "E2BIG"): "Index of counter too big",
    ("check_entry", "ENOENT"): "Bad rule (does a matching rule exist in that chain?)",
    ("delete_entry", "ENOENT"): "Bad rule (does a matching rule exist in that chain?)",
    ("set_policy", "ENOENT"): "Bad built-in chain name",
    ("set_policy", "EINVAL"): "Bad policy name",
}
_NFT = {
    ("chain_del", "ENOTEMPTY"): "Chain is not empty",
    ("chain_del", "EBUSY"): "Directory not empty",
    ("create_chain", "EEXIST"): "Chain already exists",
    ("insert_entry", "E2BIG"): "Index of insertion too big",
    ("replace_entry", "E2BIG"): "Index of replacement too big",
    ("delete_num_entry", "E2BIG"): "Index of deletion too big",
    ("check_entry", "ENOENT"): "Bad rule (does a matching rule exist in that chain?)",
    ("delete_entry", "ENOENT"): "Bad rule (does a matching rule exist in that chain?)",
    ("set_policy", "ENOENT"): "Bad built-in chain name",
    ("set_policy", "EINVAL"): "Bad policy name",
}


_TABLE_NAME_MAX = 32  # XT_TABLE_MAXNAMELEN


def no_table(name: str) -> str:
    """Why iptables-legacy cannot take a table that there is not."""
    too_long = len(name) >= _TABLE_NAME_MAX
    return "Module is wrong version" if too_long else "Table does not exist (do you need to insmod?)"


class OperationError(Exception):
    """An operation on the ruleset failed with an errno name; ``operation`` picks the words."""

    def __init__(self, errno: str, operation: str = "") -> None:
        super().__init__(errno, operation)
        self.errno, self.operation = errno, operation

    def text(self, personality: str) -> str:
        """The message without full stop."""
        table = _LEGACY if personality == "legacy" else _NFT
        special = table.get((self.operation, self.errno))
        if special:
            return special
        if self.errno == "ENOENT":
            return "No chain/target/match by that name"
        if self.errno == "ELOOP" and personality == "nft":
            return "Loop found in table"
        return STRERROR.get(self.errno, self.errno)
