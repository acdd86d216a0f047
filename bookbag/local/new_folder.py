"""An installation on this machine that nobody has used yet: its folder and its database, for whoever fills them. Nothing else runs."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from bookbag.local import environment
from bookbag.local.data_folder import open_folder
from bookbag.local.environment import SERVICES, Ports
from bookbag.local.keys import ensure_keys
from bookbag.local.parts import start
from bookbag.local.postgres import EmbeddedPostgres
from bookbag.local.provision import provision
from bookbag.local.refusals import CannotStart

_NOBODY = "redis://127.0.0.1:1"
"""Where no Redis answers: what is rebuilt from nothing needs none."""


@contextmanager
def new_folder(path: Path, *, demo: bool, otherwise: str = "") -> Generator[dict[str, str]]:
    """The settings of a new installation in this folder, whose database runs while the block does. A block that fails leaves nothing
    behind. `otherwise` is what else can be done when the folder is in use. Raises CannotStart."""
    with open_folder(path) as folder:
        if folder.is_complete:
            raise CannotStart(
                f"{folder.path} is in use already: give a folder that is not there yet by --data{otherwise}."
            )
        postgres = EmbeddedPostgres(folder.place("postgres"))
        try:
            start(postgres)
            folder.place("objects")
            yield environment.settings(
                folder.path,
                listen=Ports.choose(8000),
                redis_url=_NOBODY,
                keys=ensure_keys(folder.place("keys"), SERVICES),
                databases=provision(postgres.address, folder.place("postgres"), SERVICES),
                demo=demo,
                web=None,
            )
            folder.create(demo=demo)
        finally:
            postgres.stop()
            if not folder.is_complete:
                folder.empty()
