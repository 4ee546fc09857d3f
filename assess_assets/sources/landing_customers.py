"""Whose landing folders there are, by name alone. Imports nothing heavy: commands load it early."""

from pathlib import Path

from assess_assets.customer_names import (
    CustomerNameRefused,
    InvalidCustomerKey,
    encode_customer,
    require_customer_key,
)


def landed_folders(landing: Path) -> tuple[list[str], dict[str, str]]:
    """Keys with a landing folder; and other folders' names with the key each should have."""
    keys, misnamed = [], {}
    root = landing
    folders = root.iterdir() if root.is_dir() else ()
    for name in sorted(folder.name for folder in folders if folder.is_dir()):
        try:
            keys.append(require_customer_key(name))
        except InvalidCustomerKey:
            try:
                misnamed[name] = f"rename it to {encode_customer(name)}"
            except CustomerNameRefused as error:
                misnamed[name] = str(error)
    return keys, misnamed
