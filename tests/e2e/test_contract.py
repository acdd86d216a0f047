"""The client is built against types written by hand; they must say what the running server's own description says."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.product import Product

pytestmark = [pytest.mark.e2e, pytest.mark.req("WEB-1")]

WEB = Path("web").resolve()
NODE = Path(sys.executable).parent / "node"

CHECK = """
import type { paths as Real } from "./real.ts";
import type { paths as Ours } from "OURS";

type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : null;
type Answers<T> = T extends { responses: infer All } ? { [Code in keyof All & (200 | 201)]: Json<All[Code]> } : never;
type Answer<T> = Answers<T>[keyof Answers<T>];
type Asked<T> = T extends { requestBody: infer Body } ? Json<Body> : null;

type Wrong<Path, Method, Is, Believed> =
    Answer<Is> extends Answer<Believed>
        ? Asked<Believed> extends Asked<Is> ? never : `${Method & string} ${Path & string} asks otherwise`
        : `${Method & string} ${Path & string} answers otherwise`;

type All = {
    [Path in keyof Ours]: Path extends keyof Real
        ? { [Method in keyof Ours[Path]]: Method extends keyof Real[Path]
            ? Real[Path][Method] extends undefined ? `no ${Method & string} ${Path}`
            : Wrong<Path, Method, Real[Path][Method], Ours[Path][Method]>
            : `no ${Method & string} ${Path}` }[keyof Ours[Path]]
        : `no ${Path}`;
}[keyof Ours];

export const wrong: Record<All, never> = {};
"""


def ran(script: str, *options: str | Path) -> str:
    """What one of the client's tools says; nothing when it is content."""
    done = subprocess.run(
        [NODE, WEB / "node_modules" / script, *options], check=False, capture_output=True, text=True, timeout=100
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_the_clients_types_are_the_servers(product: Product, tmp_path: Path) -> None:
    described, real, check = tmp_path / "openapi.json", tmp_path / "real.ts", tmp_path / "check.ts"
    with product.http() as client:
        answer = client.get("/openapi.json")
    assert answer.status_code == 200, answer.text
    described.write_text(answer.text)
    assert ran("openapi-typescript/bin/cli.js", described, "-o", real) == ""
    check.write_text(CHECK.replace("OURS", str(WEB / "src/api/schema.ts")))
    strict = ("--noEmit", "--strict", "--allowImportingTsExtensions", "--module", "esnext", "--target", "esnext")
    assert ran("typescript/bin/tsc", *strict, "--moduleResolution", "bundler", check) == ""
