"""The file of customers' policies: what is wrong with it is told with its name."""

from pathlib import Path

import pytest

from assess_assets.customers import BadPolicies, Policies


@pytest.mark.parametrize("content", [None, "version = [", b"\xff"])
def test_a_file_that_cannot_be_read_is_named_with_its_setting(
    tmp_path: Path, content: str | bytes | None
) -> None:
    path = tmp_path / "policies.toml"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BadPolicies) as told:
        Policies.load(path)
    assert f"{path} (ASSESS_POLICIES), can't be read: " in str(told.value)


def test_a_customer_without_a_policy_of_its_own_has_the_default(tmp_path: Path) -> None:
    path = tmp_path / "policies.toml"
    path.write_text("[default]\nversion = 2\n[customers.acme]\nmax_conflict_share = 0.5\n")
    policies = Policies.load(path)
    assert (policies.of("acme").version, policies.of("acme").max_conflict_share) == (1, 0.5)
    assert (policies.of("globex").version, policies.of("globex").max_conflict_share) == (2, 0.2)
