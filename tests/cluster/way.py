"""HTTP clients that get to the Gateway by its address, under its name: no name server knows that name."""

import ssl

import httpx2

from tests.cluster.place import HOST, Place


def _turned(request: httpx2.Request, place: Place) -> httpx2.Request:
    address, _, port = place.address.rpartition(":")
    # A request of its own: the client's keeps the name, by which cookies are remembered.
    return httpx2.Request(
        request.method, request.url.copy_with(host=address, port=int(port)), headers=request.headers,
        stream=request.stream, extensions={**request.extensions, "sni_hostname": HOST},
    )  # fmt: skip


class Way(httpx2.HTTPTransport):
    """Dials the address that stands for the name."""

    def __init__(self, place: Place, trust: ssl.SSLContext) -> None:
        super().__init__(verify=trust)
        self._place = place

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return super().handle_request(_turned(request, self._place))


class AsyncWay(httpx2.AsyncHTTPTransport):
    """The same for many requests at once."""

    def __init__(self, place: Place, trust: ssl.SSLContext, limits: httpx2.Limits) -> None:
        super().__init__(verify=trust, limits=limits)
        self._place = place

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await super().handle_async_request(_turned(request, self._place))
