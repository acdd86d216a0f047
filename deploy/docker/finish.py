"""The last step of building the image: puts the `bookbag` command into the environment, keeps the lists of what is inside, takes out of
packages what no process can need or load, and compiles everything, because a container whose root is read-only cannot do it later and would pay for
it at every start."""

import compileall
import ctypes
import os
import shutil
import struct
import sys
import sysconfig
from pathlib import Path
from py_compile import PycInvalidationMode

COMMAND = """\
#!{python}
import sys

from bookbag.cli.main import main

sys.exit(main())
"""
LISTS = ("python.cdx.json", "web.cdx.json")
AWS = {"s3", "sts", "sso", "sso-oidc"}
"""Of the several hundred services that botocore describes: the store, and the ways to be somebody there."""

SOURCES = {".pyi", ".pyx", ".pxd", ".c", ".h", ".cpp", ".hpp", ".a", ".f90"}
"""What compilers and type checkers read."""


def prune(packages: Path, app: Path) -> None:
    """A quarter of what was installed: the packages' own tests, other clouds' services, languages that nobody can choose."""
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(app))
    from bookbag.school.languages import LANGUAGES

    spoken = {language.tag.split("-")[0] for language in LANGUAGES} | {"root", "en"}
    locales = (packages / "babel" / "locale-data").glob("*.dat")
    for locale in [one for one in locales if one.stem.split("_")[0] not in spoken]:
        locale.unlink()
    described = (packages / "botocore" / "data").iterdir()
    tests = (one for one in packages.rglob("tests") if one.is_dir())
    for folder in [
        *(one for one in described if one.is_dir() and one.name not in AWS),
        *tests,
        packages / "sqlalchemy" / "testing",
    ]:
        shutil.rmtree(folder, ignore_errors=True)
    for source in [file for file in packages.rglob("*.*") if file.suffix in SOURCES]:
        source.unlink()


ELF64 = b"\x7fELF\x02\x01"


def loaded(content: bytes) -> bytes:
    """Of a compiled module what is ever loaded. Its segments come first, and behind the last of them lies what debuggers read, in wheels
    like uvloop's nine tenths of the file; nothing at run time looks at sections, so their table goes too. Other files stay as they are."""
    if not content.startswith(ELF64):
        return content
    (table,) = struct.unpack_from("<Q", content, 32)
    size, count = struct.unpack_from("<HH", content, 54)
    ends = [table + size * count]
    for segment in range(count):
        offset, _, _, length = struct.unpack_from("<4Q", content, table + size * segment + 8)
        ends.append(offset + length)
    kept = bytearray(content[: max(ends)])
    struct.pack_into("<Q", kept, 40, 0)
    struct.pack_into("<HHH", kept, 58, 0, 0, 0)
    return bytes(kept)


def strip(packages: Path) -> None:
    """Leave of compiled modules what is loaded, and see that each loads still. Raises OSError when one does not."""
    modules = [file for file in packages.rglob("*.so*") if file.is_file() and not file.is_symlink()]
    for module in modules:
        # Never in place: it may be loaded in this very process.
        cut = module.with_name(f"{module.name}.cut")
        cut.write_bytes(loaded(module.read_bytes()))
        shutil.copymode(module, cut)
        cut.replace(module)
    for module in modules:
        ctypes.CDLL(str(module), mode=os.RTLD_NOW)


def main(environment: Path) -> int:
    """Finish the environment whose Python runs this. The exit code is 1 when something is missing or does not compile."""
    app, packages = environment / "app", Path(sysconfig.get_path("purelib"))
    for needed in (app / "web/dist/index.html", app / "bookbag/identity/v1/service_pb2.py"):
        if not needed.exists():
            print(f"{needed.relative_to(app)} is missing: build the image with `make image`, which makes it first.")
            return 1
    (packages / "bookbag.pth").write_text(f"{app}\n")
    command = environment / "bin" / "bookbag"
    command.write_text(COMMAND.format(python=environment / "bin" / "python"))
    command.chmod(0o755)
    prune(packages, app)
    strip(packages)
    lists = environment / "sbom"
    lists.mkdir()
    for name in LISTS:
        shutil.copy(name, lists / name)
    # By hash and unchecked: the files never change in here, and copying them must not make what was compiled look old.
    mode = PycInvalidationMode.UNCHECKED_HASH
    ours = compileall.compile_dir(app, quiet=1, workers=0, invalidation_mode=mode)
    # A package may carry files for other Pythons that do not compile with ours; they are not imported either.
    compileall.compile_dir(packages, quiet=2, workers=0, invalidation_mode=mode)
    return 0 if ours else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
