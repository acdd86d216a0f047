"""`make cluster-test`: builds the image, brings it to a cluster, and runs the tests of this folder against the chart there.

Without --kubeconfig the cluster is started and taken down here (see `tools/cluster.py`). With it the tests run on that cluster, in a namespace
`bookbag` that must not exist yet; these variables say what differs from one cluster to the next:

  CLUSTER_HOST           address of this machine as pods reach it; the servers that the tests bring listen there
  CLUSTER_LOAD           command that brings an image to the nodes, such as "kind load docker-image"
  CLUSTER_GATEWAY_CLASS  class of the Gateway that the chart makes
  CLUSTER_LISTENER       port of its HTTPS listener (443)
  CLUSTER_ADDRESS        HOST:PORT where this machine reaches that listener
  CLUSTER_PROXIES        addresses, by commas, from which the gateway's requests come to pods
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack

from tests.cluster import figures
from tests.cluster.place import NAMESPACE, RELEASE, ROOT
from tools import cluster
from tools.image import main as build_image

IMAGES = ("localhost/bookbag:1", "localhost/bookbag:2")
NEEDED = ("CLUSTER_HOST", "CLUSTER_LOAD", "CLUSTER_GATEWAY_CLASS", "CLUSTER_ADDRESS", "CLUSTER_PROXIES")


def main(args: Sequence[str]) -> int:
    """Run the tests; pytest's exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kubeconfig", help="a cluster that runs already")
    parser.add_argument("extra", nargs="*", help="options for pytest, after --")
    asked = parser.parse_args(args)
    figures.FILE.unlink(missing_ok=True)
    began = time.monotonic()
    code = _on(asked.kubeconfig, asked.extra) if asked.kubeconfig else _here(asked.extra)
    figures.note(seconds=round(time.monotonic() - began))
    figures.show()
    return code


def _here(extra: Sequence[str]) -> int:
    if reason := cluster.why_not():
        print(f"Not run: {reason}.")
        return 1
    with ExitStack() as stack:
        builder = stack.enter_context(cluster.docker())
        os.environ.update(builder)
        cluster.script("base-image.sh")
        _build("--base", cluster.BASE, "--", "--network", "host")
        began = time.monotonic()
        inside = stack.enter_context(cluster.cluster(f"{NAMESPACE}/{RELEASE}"))
        figures.note(cluster_ready_seconds=round(time.monotonic() - began, 1))
        cluster.script("load-image", *IMAGES)
        return _test(extra, cluster.TOLD, prefix=inside)


def _on(kubeconfig: str, extra: Sequence[str]) -> int:
    lacking = [name for name in NEEDED if not os.environ.get(name)]
    if lacking:
        print(
            f"Say also what differs from one cluster to the next: {', '.join(lacking)} (`python -m tests.cluster --help`)."
        )
        return 2
    _build()
    for image in IMAGES:
        subprocess.run([*os.environ["CLUSTER_LOAD"].split(), image], check=True)
    return _test(extra, {"KUBECONFIG": kubeconfig, "CLUSTER_LISTENER": os.environ.get("CLUSTER_LISTENER", "443")})


def _build(*options: str) -> None:
    """Build the image, and a second one that differs in a label. Raises SystemExit."""
    began = time.monotonic()
    if code := build_image(["--tag", IMAGES[0], *options]):
        raise SystemExit(code)
    second = f"FROM {IMAGES[0]}\nLABEL bookbag.edition=second\n"
    docker = [os.environ.get("DOCKER", "docker"), "build", "--quiet", "--tag", IMAGES[1], "-"]
    subprocess.run(docker, input=second, text=True, check=True, stdout=subprocess.DEVNULL)
    figures.note(build_seconds=round(time.monotonic() - began, 1))


def _test(extra: Sequence[str], told: Mapping[str, str], *, prefix: Sequence[str] = ()) -> int:
    environment = os.environ | dict(told) | {"CLUSTER_IMAGES": ",".join(IMAGES)}
    report = ROOT / "build" / "results" / "cluster.xml"
    pytest = [sys.executable, "-m", "pytest", "tests/cluster", "-n", "0", f"--junit-xml={report}"]
    command = [*prefix, *pytest, *extra]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
