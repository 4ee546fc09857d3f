"""Customers on one HDFS: attacked as a user of another, through every client there is.

ann is of acme, gil is of globex. Simple authentication: a client is who it says it is.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import dagster as dg
import pytest
from deltalake import DeltaTable

from assess_assets.platform.errors import ServiceFailed
from assess_assets.platform.hdfs import PLATFORM_USER, SUPERUSER, Hdfs
from assess_assets.sample.messy import messy_lines
from assess_assets.storage.hdfs_folders import FolderNotProtected, HdfsFolders
from assess_assets.tables.registry import CUSTOMER_TABLES
from assess_assets_tests.services import intruder
from assess_assets_tests.services.hdfs_lakes import everything_in, platform_on

pytestmark = pytest.mark.services
REFUSED = "AccessControlException"
SPARK = "local[1]"
CLIENTS = ("deltalake", "sail", SPARK)
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Two:
    """A lake with the tables of acme and of globex."""

    hdfs: Hdfs
    lake: str
    folder: str  # of the lake, as a path

    def uris(self, customer: str, client: str = "sail") -> list[str]:
        """Of all tables; of two for Spark, which needs seconds to open each."""
        names = [table.name for table in CUSTOMER_TABLES]
        return [
            f"{self.lake}/{customer}/{name}" for name in (names[:2] if client == SPARK else names)
        ]

    def paths(self, customer: str) -> list[str]:
        """Its folder and everything in it."""
        folder = f"{self.folder}/{customer}"
        return [folder, *everything_in(self.hdfs, folder)]

    def tried(self, user: str, client: str, tries: list[tuple[str, str]]) -> list[int | str]:
        # What a session here has set would send the other's to the same server.
        own_session = {k: v for k, v in os.environ.items() if not k.startswith("SPARK_")}
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", intruder.__file__, client, json.dumps(tries)],
            env={**own_session, "HADOOP_USER_NAME": user, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=900,
        )
        assert ran.returncode == 0, ran.stderr[-3000:]
        outcomes: list[int | str] = json.loads(ran.stdout.splitlines()[-1])
        assert len(outcomes) == len(tries)
        return outcomes


@pytest.fixture(scope="module")
def two(hdfs: Hdfs, spark: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with dg.DagsterInstance.ephemeral() as instance:
        platform = platform_on(hdfs, tmp_path_factory.mktemp("isolation"), instance)
        for customer in ("acme", "globex"):
            messy = "".join(f"{line.text}\n" for line in messy_lines())
            platform.land(customer, "messy.ndjson", messy)
            platform.materialize(customer)
        lake = platform.settings.lake
        yield Two(hdfs, lake, urlsplit(lake).path)


@pytest.fixture
def unharmed(two: Two) -> Iterator[None]:
    """Nothing in the lake is other than before: no file, no owner, no mode."""
    before = everything_in(two.hdfs, two.folder)
    yield
    assert everything_in(two.hdfs, two.folder) == before


def test_a_customers_folder_is_the_platforms_and_its_groups_to_read(two: Two) -> None:
    for customer in ("acme", "globex"):
        found = two.hdfs.ask("GET", f"{two.folder}/{customer}", "GETACLSTATUS")["AclStatus"]
        assert (found["owner"], found["permission"]) == (PLATFORM_USER, "750")
        assert {f"group:{customer}:r-x", f"default:group:{customer}:r-x"} <= set(found["entries"])
        assert "default:other::---" in found["entries"]
        named = [entry for entry in found["entries"] if "group:" in entry and "::" not in entry]
        assert len(named) == 2, "and to nobody else's"


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.usefixtures("unharmed")
def test_a_customers_user_reads_its_own_tables_and_nothing_else(two: Two, client: str) -> None:
    own = [("read", uri) for uri in two.uris("acme", client)]
    elsewhere = [*two.uris("globex", client), f"{two.lake}/_platform/x"]
    theirs = [("read", uri) for uri in elsewhere]
    if client != "deltalake":
        files = [path for path in two.paths("globex") if path.endswith(".parquet")]
        theirs += [("read file", f"{two.hdfs.root}{files[0]}")]
    outcomes = two.tried("ann", client, [*own, *theirs])
    assert outcomes[: len(own)] == [
        min(DeltaTable(uri).to_pyarrow_table().num_rows, 5 if client != "deltalake" else 10**9)
        for uri in two.uris("acme", client)
    ]
    assert [one for one in outcomes[len(own) :] if REFUSED not in str(one)] == []


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.usefixtures("unharmed")
def test_a_customers_user_writes_nowhere_not_even_its_own(two: Two, client: str) -> None:
    own = two.uris("acme", client)
    tries = [(action, uri) for uri in own for action in ("append", "delete")]
    tries += [("append", uri) for uri in two.uris("globex", client)[:3]]
    made = ("acme/mine", "acme/assessments/mine", "globex/mine", "_platform/mine", "mine")
    tries += [("create", f"{two.lake}/{name}") for name in made]
    outcomes = two.tried("ann", client, tries)
    assert [
        (tried, one) for tried, one in zip(tries, outcomes, strict=True) if REFUSED not in str(one)
    ] == []


@pytest.mark.usefixtures("unharmed")
def test_a_customers_user_verifies_its_own_tables_and_is_told_what_was_left_out(two: Two) -> None:
    def verify(customer: str) -> subprocess.CompletedProcess[str]:
        program = "from assess_assets.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program, "verify", "-c", customer, "--json"],
            env={**os.environ, "HADOOP_USER_NAME": "ann", "ASSESS_LAKE": two.lake},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
        )

    own = verify("acme")
    assert own.returncode == 0, own.stderr[-3000:]
    told = json.loads(own.stdout)
    assert (told["failed_checks"], list(told["not_verified"])) == ([], ["customer_overview"])
    assert "Not verified, as this user may not read it: customer_overview." in own.stderr
    other = verify("globex")
    assert (other.returncode, other.stdout) == (1, "")


@pytest.mark.usefixtures("unharmed")
def test_webhdfs_refuses_every_path_of_another_customer(two: Two) -> None:
    paths = [*two.paths("globex"), f"{two.folder}/_platform", *two.paths("_platform")]
    assert len(paths) > 60
    looks = ("GETFILESTATUS", "LISTSTATUS", "OPEN", "GETACLSTATUS", "GETCONTENTSUMMARY")
    inside = [path for path in paths if path.count("/") > 2]
    tried = [(path, look) for path in inside for look in looks]
    tried += [(path, "LISTSTATUS") for path in paths]
    assert [one for one in tried if not refused(two.hdfs, "GET", one[0], one[1])] == []


@pytest.mark.usefixtures("unharmed")
def test_webhdfs_lets_nobody_but_the_platform_change_anything(two: Two) -> None:
    changes: list[tuple[str, str, dict[str, str]]] = [
        ("PUT", "SETPERMISSION", {"permission": "777"}),
        ("PUT", "SETOWNER", {"owner": "ann", "group": "acme"}),
        ("PUT", "MODIFYACLENTRIES", {"aclspec": "user:ann:rwx"}),
        ("PUT", "REMOVEACL", {}),
        ("PUT", "RENAME", {"destination": f"{two.folder}/acme/mine"}),
        ("PUT", "SETTIMES", {"modificationtime": "1"}),
        ("PUT", "SETREPLICATION", {"replication": "1"}),
        ("POST", "TRUNCATE", {"newlength": "0"}),
        ("DELETE", "DELETE", {"recursive": "true"}),
    ]
    of_files = {"SETREPLICATION", "TRUNCATE"}
    every = everything_in(two.hdfs, two.folder)
    tried = [
        (method, path, operation, options)
        for path, (kind, *_) in every.items()
        for method, operation, options in changes
        if kind == "FILE" or operation not in of_files
    ]
    assert [one for one in tried if not refused(two.hdfs, one[0], one[1], one[2], **one[3])] == []
    for path in (two.folder, *(path for path, (kind, *_) in every.items() if kind == "DIRECTORY")):
        assert refused(two.hdfs, "PUT", f"{path}/mine", "MKDIRS"), path
        assert creating_is_refused(two.hdfs, f"{path}/mine"), path


def test_a_listing_of_the_root_shows_nothing_inside(two: Two) -> None:
    assert refused(two.hdfs, "GET", two.folder, "LISTSTATUS")
    top = two.hdfs.ask("GET", "/", "LISTSTATUS", user="ann")["FileStatuses"]["FileStatus"]
    lake = next(one for one in top if one["pathSuffix"] == two.folder.strip("/"))
    assert lake["permission"] == "711"


def test_a_folder_that_everybody_may_enter_gets_no_table(two: Two) -> None:
    two.hdfs.ask("PUT", f"{two.folder}/initech", "MKDIRS", permission="750")
    two.hdfs.ask("PUT", f"{two.folder}/initech", "SETPERMISSION", permission="755")
    folders = HdfsFolders(two.hdfs.uris["ASSESS_WEBHDFS"], PLATFORM_USER)
    with pytest.raises(FolderNotProtected, match=r"Customer initech.*mode 755.*-chmod"):
        folders.protect(f"{two.lake}/initech", "initech", "initech")


def test_a_folder_that_is_not_ours_gets_no_table(two: Two) -> None:
    two.hdfs.ask("PUT", f"{two.folder}/hooli", "MKDIRS", user=SUPERUSER, permission="700")
    folders = HdfsFolders(two.hdfs.uris["ASSESS_WEBHDFS"], PLATFORM_USER)
    with pytest.raises(FolderNotProtected, match="hooli belongs to 'hdfs' and not"):
        folders.protect(f"{two.lake}/hooli", "hooli", "hooli")


@pytest.mark.parametrize("entry", ["user:mallory:rwx", "group:acme:r-x", "default:user:ann:r-x"])
def test_a_folder_that_lets_somebody_else_in_gets_no_table(two: Two, entry: str) -> None:
    folder = f"{two.folder}/umbrella"
    two.hdfs.ask("PUT", folder, "MKDIRS", permission="750")
    two.hdfs.ask("PUT", folder, "MODIFYACLENTRIES", aclspec=entry)
    folders = HdfsFolders(two.hdfs.uris["ASSESS_WEBHDFS"], PLATFORM_USER)
    who = entry.removeprefix("default:").rpartition(":")[0]
    try:
        with pytest.raises(FolderNotProtected, match=f"Customer umbrella.* also lets in {who}\\."):
            folders.protect(f"{two.lake}/umbrella", "umbrella", "umbrella")
    finally:
        two.hdfs.ask("DELETE", folder, "DELETE", recursive="true")


def test_a_folder_of_another_user_that_we_may_write_gets_no_table(two: Two) -> None:
    folder = f"{two.folder}/soylent"
    two.hdfs.ask("PUT", folder, "MKDIRS", user=SUPERUSER, permission="770")
    two.hdfs.ask("PUT", folder, "SETOWNER", user=SUPERUSER, owner="mallory", group=PLATFORM_USER)
    two.hdfs.ask(
        "PUT", folder, "MODIFYACLENTRIES", user=SUPERUSER, aclspec=f"user:{PLATFORM_USER}:rwx"
    )
    folders = HdfsFolders(two.hdfs.uris["ASSESS_WEBHDFS"], PLATFORM_USER)
    with pytest.raises(FolderNotProtected, match="belongs to 'mallory' and not to this user"):
        folders.protect(f"{two.lake}/soylent", "soylent", "soylent")


def test_without_webhdfs_no_first_table_is_made(two: Two) -> None:
    with pytest.raises(FolderNotProtected, match="Set ASSESS_WEBHDFS"):
        HdfsFolders(None, PLATFORM_USER).protect(f"{two.lake}/vandelay", "vandelay", "vandelay")


def refused(hdfs: Hdfs, method: str, path: str, operation: str, **options: str) -> bool:
    """Is ann refused for want of rights? True only for that reason."""
    try:
        hdfs.ask(method, path, operation, user="ann", **options)
    except ServiceFailed as error:
        return REFUSED in str(error)
    return False


def creating_is_refused(hdfs: Hdfs, path: str) -> bool:
    """A file is made by the DataNode that the NameNode names."""
    where: dict[str, Any] = hdfs.ask("PUT", path, "CREATE", user="ann", noredirect="true")
    try:
        build_opener(ProxyHandler({})).open(
            Request(where["Location"], method="PUT", data=b"mine"), timeout=60
        ).close()
    except HTTPError as error:
        return error.code == 403 and REFUSED in error.read().decode()
    return False
