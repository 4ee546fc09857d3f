"""Whose landing folders there are, by name alone. Imports nothing heavy: commands load it early."""

from pathlib import Path

from assess_assets.customer_names import (
    CustomerNameRefused,
    InvalidCustomerKey,
    encode_customer,
    require_customer_key,
)

LINK = "a symbolic link, which may lead to another customer's files: put a folder in its place"


def landed_folders(landing: Path) -> tuple[list[str], dict[str, str]]:
    """Keys with a landing folder; and names of other folders with what is to be done."""
    keys, misnamed = [], {}
    root = landing
    folders = root.iterdir() if root.is_dir() else ()
    for name in sorted(folder.name for folder in folders if folder.is_dir()):
        if (root / name).is_symlink():
            misnamed[name] = LINK
            continue
        try:
            keys.append(require_customer_key(name))
        except InvalidCustomerKey:
            try:
                misnamed[name] = f"rename it to {encode_customer(name)}"
            except CustomerNameRefused as error:
                misnamed[name] = str(error)
    return keys, misnamed
