"""How an operator writes where a sibling is: one address, several, or a name that stands for all of its instances."""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator


def target_of(address: str) -> str:
    """The gRPC target of an address. Raises ValueError, whose words say what may stand there.

    `host:port` is one instance, `10.0.0.1:8001,10.0.0.2:8001` are several, `dns:///name:port` are all that the name resolves to
    (a headless service).
    """
    if ":///" in address or address.startswith(("ipv4:", "ipv6:")):
        return address
    several = [one.strip() for one in address.split(",")]
    kinds = {_kind_of(one) for one in several}
    if len(several) == 1:
        return several[0]
    if len(kinds) != 1 or None in kinds:
        raise ValueError(
            f"{address!r}: several addresses must all be IPv4 or all IPv6; write dns:///name:port for a name with many"
        )
    return f"ipv{kinds.pop()}:{','.join(several)}"


def _kind_of(one: str) -> int | None:
    """4 or 6, or None for a name. Raises ValueError unless there is a host and a port."""
    host, colon, port = one.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"{one!r} is no address: write host:port")
    try:
        return ipaddress.ip_address(host.strip("[]")).version
    except ValueError:
        return None


PeerAddress = Annotated[str, AfterValidator(target_of)]
"""A setting that names a sibling; read, it is a gRPC target."""
