"""Generates the Python stubs of the protocol files beside the code that imports them; they are never committed."""

import shutil
from pathlib import Path

from tools.bootstrap.packages import BIN
from tools.bootstrap.progress import ROOT, Progress, run
from tools.bootstrap.stamps import Stamp, fingerprint

PROTO = ROOT / "proto"
_INIT = '"""Generated from proto/ by `make stubs`; never edited, never committed."""\n'


def ensure(progress: Progress, *, anew: bool = False) -> bool:
    """Bring `bookbag/<service>/v1/*_pb2.py` in step with proto/; True when they were made."""
    protos = sorted(PROTO.rglob("*.proto"))
    mark = fingerprint([PROTO, ROOT / "requirements-local.txt", Path(__file__)])
    stamp = Stamp(ROOT / ".cache" / "stubs", *(_module(proto) for proto in protos))
    if not anew and stamp.stands(mark):
        return False
    with progress.step(f"stubs of {len(protos)} protocol files"):
        _generate(protos)
    stamp.set(mark)
    return True


def _module(proto: Path) -> Path:
    return ROOT / proto.relative_to(PROTO).with_name(f"{proto.stem}_pb2.py")


def _generate(protos: list[Path]) -> None:
    fresh = ROOT / "build" / "stubs"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    plugins = [f"--plugin={name}={BIN / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]
    kinds = [f"--{kind}_out={fresh}" for kind in ("python", "grpc_python")]
    typed = [f"--mypy_out={fresh}", f"--mypy_grpc_out={fresh}"]
    compiler = [BIN / "python", "-m", "grpc_tools.protoc", f"-I{PROTO}"]
    run([*compiler, *plugins, *kinds, *typed, *protos], log="stubs")
    for package in sorted({proto.relative_to(PROTO).parent for proto in protos}):
        for folder in (package, *package.parents):
            if folder not in (Path(), Path("bookbag")):
                (fresh / folder / "__init__.py").write_text(_INIT)
        # Replace the folder whole: a stub whose protocol file is gone must not linger.
        target = ROOT / package
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(fresh / package, target)
        parent_init = fresh / package.parent / "__init__.py"
        if parent_init.exists():
            shutil.copy(parent_init, target.parent / "__init__.py")
    shutil.rmtree(fresh)
