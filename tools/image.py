"""Builds the container image of `deploy/docker/Dockerfile`: the list of the web client's parts first, then Docker.

Stubs and web client must be there already; `make image` makes them. Everything else is made inside the build.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence

from bookbag import __version__
from tools.bootstrap.packages import BIN
from tools.bootstrap.progress import ROOT

LIST = ROOT / "build" / "image" / "web.cdx.json"


def main(args: Sequence[str]) -> int:
    """Build, and say name and size. The exit code is Docker's."""
    asked = _parser().parse_args(args)
    try:
        _list_web()
        size = build(asked.tag, base=asked.base, options=asked.docker)
    except FileNotFoundError as missing:
        print(
            f"{missing.filename} is missing: the image is built with Docker (or set DOCKER to what speaks its language)."
        )
        return 1
    except subprocess.CalledProcessError as failed:
        print(f"`{' '.join(map(str, failed.cmd[:3]))} …` failed; what it said stands above.")
        return 1
    print(f"{asked.tag}: {size / 1e6:.0f} MB")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.image", description=__doc__)
    parser.add_argument("--tag", default=f"bookbag:{__version__}", help=f"name of the image (bookbag:{__version__})")
    parser.add_argument(
        "--base", default=None, help="the Python image to build on; a release gives one with its digest"
    )
    parser.add_argument("docker", nargs="*", help="options for docker build, after --, such as --network host")
    return parser


def _list_web() -> None:
    """List what the web client is made of, from its lock, as CycloneDX."""
    npm = [str(BIN / "npm"), "sbom", "--sbom-format", "cyclonedx", "--omit", "dev", "--package-lock-only"]
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    said = subprocess.run(npm, cwd=ROOT / "web", env=environment, check=True, stdout=subprocess.PIPE).stdout
    LIST.parent.mkdir(parents=True, exist_ok=True)
    LIST.write_text(json.dumps(json.loads(said), indent=1))


def build(tag: str, *, base: str | None = None, options: Sequence[str] = ()) -> int:
    """Build the image and give its size in bytes. Raises CalledProcessError; FileNotFoundError without Docker."""
    docker = os.environ.get("DOCKER", "docker")
    command = [docker, "build", "--file", "deploy/docker/Dockerfile", "--tag", tag, *options]
    command += [] if base is None else ["--build-arg", f"BASE={base}"]
    command += ["--build-arg", f"VERSION={__version__}", "--build-arg", f"REVISION={_revision()}", "."]
    subprocess.run(command, cwd=ROOT, check=True, stdin=subprocess.DEVNULL)
    size = [docker, "image", "inspect", "--format", "{{.Size}}", tag]
    return int(subprocess.run(size, check=True, capture_output=True, text=True).stdout)


def _revision() -> str:
    """The commit that is built, marked when files differ from it; `unknown` outside a checkout."""
    described = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        done = subprocess.run(described, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
