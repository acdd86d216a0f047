"""The code from before the newest migration, taken from the history of this checkout, serves on the newest databases and beside the newest code."""

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from bookbag.local import ports
from bookbag.local.environment import REPOSITORY
from bookbag.local.keys import KeyFiles
from bookbag.local.testing import TestServers
from tests.backup.school_life import NO_GRACE, Writer, all_told, no_mail_waits
from tests.support.house import built
from tests.support.whole import Whole, whole_product

pytestmark = [pytest.mark.req("OPS-2", "OPS-4"), pytest.mark.slow, pytest.mark.timeout(240)]

MIGRATIONS = "*/migrations/*.sql"


def git(*words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=REPOSITORY, check=True, capture_output=True).stdout


def commit_before_the_newest_migration() -> str | None:
    """The newest commit that lacks a migration of this checkout; None where the history does not go so far."""
    known = {str(file.relative_to(REPOSITORY)) for file in REPOSITORY.glob("*/*/migrations/*.sql")}
    touching = git("log", "--format=%H %P", "--", MIGRATIONS).decode().splitlines()
    for commit in ("HEAD", *(word for line in touching for word in line.split()[1:2])):
        there = git("ls-tree", "-r", "--name-only", commit).decode().splitlines()
        if known - set(there):
            return commit
    return None


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of that code, with the stubs of its own protocol files; this one where the history does not go so far."""
    try:
        commit = commit_before_the_newest_migration()
        packed = git("archive", commit, "bookbag", "services", "proto") if commit else None
    except (FileNotFoundError, subprocess.CalledProcessError):
        packed = None
    if packed is None:
        print("There is no history in which code is older than the newest migration: code is tried beside its like.")
        return REPOSITORY
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(fileobj=io.BytesIO(packed)) as files:
        files.extractall(folder, filter="data")
    stubs = [f"--{kind}_out={folder}" for kind in ("python", "grpc_python")]
    protos = sorted((folder / "proto").rglob("*.proto"))
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", f"-I{folder / 'proto'}", *stubs, *protos], check=True)
    return folder


def begin(whole: Whole, kind: str, code: Path) -> None:
    """Start a process from another checkout; it ends as all others do."""
    environment = os.environ | whole.environment | {"BOOKBAG_ADMIN_PORT": str(ports.choose_one())}
    log = (whole.folder / f"older-{kind}.log").open("ab")
    command = [sys.executable, "-m", "bookbag", kind, "all"]
    older: Any = subprocess.Popen(command, cwd=code, env=environment, stdout=log, stderr=log)
    whole.processes[f"{kind}-all"] = older


def told(whole: Whole) -> bool:
    return all_told(whole) and no_mail_waits(whole)


def test_older_code_serves_on_the_newest_databases_and_beside_the_newest_code(
    older: Path, servers: TestServers, keys: KeyFiles, tmp_path: Path
) -> None:
    for name in ("house", "mails"):
        (tmp_path / name).mkdir()
    with (
        built(servers, keys, tmp_path / "house") as house,
        whole_product(house, tmp_path / "mails", begin=False, **NO_GRACE) as whole,
    ):
        for kind in ("serve", "work"):
            begin(whole, kind, older)
        whole.wait_ready()
        whole.seed()
        writer = Writer(whole)
        writer.write(4)
        whole.wait(lambda: told(whole), seconds=60)
        assert whole.mails
        for kind in ("serve", "work"):
            whole.end(kind)
            whole.begin(kind)
            whole.wait_ready()
            writer.write(4)
            whole.wait(lambda: told(whole), seconds=60)
        assert not writer.refused
        assert len(writer.acknowledged) == 12
        assert not [
            row
            for service in house.databases.urls
            if service != "toy"
            for row in whole.rows(service, "select 1 from dead_letter")
        ]
