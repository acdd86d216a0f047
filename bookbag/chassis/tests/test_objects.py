"""One contract for both object stores: the disk of one machine and S3. Every test here runs against each."""

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest
import uvicorn
from starlette.applications import Starlette

from bookbag.chassis.clock import SystemClock
from bookbag.chassis.objects import (
    BadName,
    DiskPlace,
    Key,
    NoSuchObject,
    ObjectStore,
    OutsideObject,
    S3Place,
    TooLargeToHold,
    opened,
    place_of,
)
from bookbag.chassis.objects_disk import DiskStore
from bookbag.chassis.objects_route import routes_of
from bookbag.chassis.objects_s3 import S3Store
from bookbag.chassis.problems import DependencyAway
from bookbag.cli.commands import _extra_routes
from bookbag.local import ports
from tests.support.house import House, eventually

MINUTE = timedelta(minutes=1)
MEGABYTE = 1024 * 1024

pytestmark = pytest.mark.req("OPS-4")


@asynccontextmanager
async def on_disk(folder) -> AsyncIterator[ObjectStore]:
    """The disk store with its route served over a real socket."""
    port = ports.choose_one()
    store = DiskStore(folder, f"http://127.0.0.1:{port}", SystemClock())
    config = uvicorn.Config(
        Starlette(routes=routes_of(store)), host="127.0.0.1", port=port, log_config=None, lifespan="off", ws="none"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    yield store
    server.should_exit = True
    await serving


@pytest.fixture(params=["disk", "s3"])
async def store(request, tmp_path) -> AsyncIterator[ObjectStore]:
    if request.param == "disk":
        async with on_disk(tmp_path / "objects") as made:
            yield made
    else:
        address = request.getfixturevalue("s3").address
        made = S3Store(place_of(address.url), (address.access_key, address.secret_key))
        yield made
        await made.close()


@pytest.fixture
def key() -> Key:
    return Key(uuid4(), "pictures/one.png")


@pytest.fixture
async def web() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=30, trust_env=False) as client:
        yield client


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def test_what_was_put_can_be_read_replaced_and_removed(store, key):
    with pytest.raises(NoSuchObject):
        await store.get(key)
    await store.put(key, b"first", "image/png")
    await store.put(key, b"second one", "image/jpeg")
    assert await store.get(key) == b"second one"
    head = await store.head(key)
    assert (head.size, head.content_type) == (10, "image/jpeg")
    assert abs((head.modified - SystemClock().now()).total_seconds()) < 60
    await store.delete(key)
    await store.delete(key)
    for look in (store.get, store.head):
        with pytest.raises(NoSuchObject):
            await look(key)


async def test_a_range_gives_those_bytes_and_one_behind_the_end_is_refused(store, key):
    await store.put(key, b"0123456789", "text/plain")
    assert await store.get(key, first=2, last=4) == b"234"
    assert await store.get(key, first=8) == b"89"
    assert await store.get(key, first=8, last=99) == b"89"
    assert await store.get(key, last=0) == b"0"
    with pytest.raises(OutsideObject):
        await store.get(key, first=10)


async def test_an_empty_object_is_an_object(store, key):
    await store.put(key, b"", "text/plain")
    assert await store.get(key) == b""
    assert (await store.head(key)).size == 0


async def test_a_large_object_passes_in_pieces_and_is_never_held_whole(store, key):
    block = bytes(range(256)) * 4096
    assert await store.put_stream(key, _pieces(*[block] * 40), "video/mp4") == 40 * MEGABYTE
    assert (await store.head(key)).size == 40 * MEGABYTE
    with pytest.raises(TooLargeToHold):
        await store.get(key)
    digest, largest = hashlib.sha256(), 0
    async with aclosing(store.stream(key)) as pieces:
        async for piece in pieces:
            digest.update(piece)
            largest = max(largest, len(piece))
    assert digest.digest() == hashlib.sha256(block * 40).digest()
    assert largest <= MEGABYTE
    assert await store.get(key, first=39 * MEGABYTE + 250, last=39 * MEGABYTE + 260) == block[250:261]


async def test_a_stream_that_breaks_off_leaves_nothing(store, key):
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * MEGABYTE
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put_stream(key, broken(), "video/mp4")
    with pytest.raises(NoSuchObject):
        await store.head(key)


async def test_of_twenty_that_put_at_once_if_absent_one_succeeds_and_nobody_overwrites_it(store, key):
    won = await asyncio.gather(*(store.put_if_absent(key, f"{n}".encode(), "text/plain") for n in range(20)))
    assert won.count(True) == 1
    assert await store.get(key) == f"{won.index(True)}".encode()
    assert await store.put_if_absent(key, b"late", "text/plain") is False
    assert await store.get(key) == f"{won.index(True)}".encode()
    await store.delete(key)
    assert await store.put_if_absent(key, b"free again", "text/plain") is True


async def test_a_school_is_listed_page_by_page_by_prefix_and_without_its_neighbours(store):
    school, other = uuid4(), uuid4()
    names = ["a", "a/b", "a-b", "a/c/d", "ab", "b/1", "b/10", "b/2"]
    for name in names:
        await store.put(Key(school, name), name.encode(), "text/plain")
    await store.put(Key(other, "a"), b"", "text/plain")
    seen: list[str] = []
    after = None
    for _ in range(10):
        page = await store.list(school, limit=3, after=after)
        assert len(page.items) <= 3
        seen += [one.key.name for one in page.items]
        assert all(one.key.school == school and one.size == len(one.key.name) for one in page.items)
        if (after := page.next) is None:
            break
    assert sorted(seen) == sorted(names)
    for prefix in ("a", "a/", "b/1", "nothing"):
        found = [one.key.name for one in (await store.list(school, prefix)).items]
        assert sorted(found) == sorted(name for name in names if name.startswith(prefix)), prefix
    assert (await store.list(uuid4())).items == []


async def test_a_client_puts_by_a_signed_url_exactly_what_was_agreed(store, key, web):
    upload = store.upload_url(key, length=5, content_type="image/png", life=MINUTE)
    answer = await web.request(upload.method, upload.url, headers=upload.headers, content=b"hello")
    assert answer.status_code == 200, answer.text
    assert await store.get(key) == b"hello"
    assert (await store.head(key)).content_type == "image/png"


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        (b"hell", {"content-length": "4"}),
        (b"hello!", {"content-length": "6"}),
        (b"hello", {"content-type": "text/html"}),
    ],
    ids=["shorter", "longer", "another type"],
)
async def test_another_length_or_type_than_agreed_is_refused(store, key, web, body, changed):
    upload = store.upload_url(key, length=5, content_type="image/png", life=MINUTE)
    answer = await web.put(upload.url, headers={**upload.headers, **changed}, content=body)
    assert answer.status_code in (400, 403), answer.text
    with pytest.raises(NoSuchObject):
        await store.head(key)


async def test_an_upload_that_does_not_tell_its_length_is_refused(store, key, web):
    upload = store.upload_url(key, length=5, content_type="image/png", life=MINUTE)
    answer = await web.put(upload.url, headers={"content-type": "image/png"}, content=_pieces(b"hello"))
    assert answer.status_code in (400, 403, 411), answer.text
    with pytest.raises(NoSuchObject):
        await store.head(key)


async def test_a_signed_url_opens_one_object_for_reading_with_ranges_and_nothing_else(store, key, web):
    await store.put(key, b"0123456789", "image/png")
    await store.put(Key(key.school, "pictures/two.png"), b"other", "image/png")
    url = store.download_url(key, life=MINUTE)
    answer = await web.get(url)
    assert (answer.status_code, answer.content) == (200, b"0123456789")
    assert answer.headers["content-type"] == "image/png"
    part = await web.get(url, headers={"range": "bytes=2-4"})
    assert (part.status_code, part.content) == (206, b"234")
    assert part.headers["content-range"] == "bytes 2-4/10"
    assert (await web.get(url, headers={"range": "bytes=50-60"})).status_code == 416
    assert (await web.put(url, content=b"mine now")).status_code == 403
    assert (await web.delete(url)).status_code in (403, 405)
    assert (await web.get(url.replace("one.png", "two.png"))).status_code == 403
    assert (await web.get(url[:-1] + ("0" if url[-1] != "0" else "1"))).status_code == 403
    assert (await web.get(url.partition("?")[0])).status_code == 403
    assert await store.get(key) == b"0123456789"


async def test_a_signed_url_ends_with_its_time(store, key, web):
    await store.put(key, b"short", "image/png")
    url = store.download_url(key, life=timedelta(seconds=2))
    upload = store.upload_url(key, length=5, content_type="image/png", life=timedelta(seconds=2))

    async def ended() -> bool:
        return (await web.get(url)).status_code == 403

    await eventually(ended, seconds=20)
    late = await web.put(upload.url, headers=upload.headers, content=b"later")
    assert late.status_code == 403
    assert await store.get(key) == b"short"


async def test_a_signed_url_whose_time_was_stretched_is_refused(store, key, web):
    await store.put(key, b"short", "image/png")
    url = httpx2.URL(store.download_url(key, life=timedelta(seconds=20)))
    stretched = {name: "3600" if name == "X-Amz-Expires" else value for name, value in url.params.items()}
    if "expires" in stretched:
        stretched["expires"] = str(int(stretched["expires"]) + 3600)
    assert (await web.get(url.copy_with(params=stretched))).status_code == 403


async def test_a_signed_url_says_what_it_may_not_be(store, key):
    for life in (timedelta(0), timedelta(hours=2)):
        with pytest.raises(ValueError, match="one second to one hour"):
            store.download_url(key, life=life)
    with pytest.raises(ValueError, match="at most"):
        store.upload_url(key, length=6 * 1024**3, content_type="image/png", life=MINUTE)
    for kind in ("image/png\nx: y", "text/html; charset=utf-8", "", "IMAGE/PNG"):
        with pytest.raises(ValueError, match="content type"):
            store.upload_url(key, length=1, content_type=kind, life=MINUTE)
    for limit in (0, 1001):
        with pytest.raises(ValueError, match="page"):
            await store.list(key.school, limit=limit)


@pytest.mark.parametrize(
    "name",
    ["", "..", "../other", "a/../../b", "/etc/passwd", "a//b", "a/", ".hidden", "a/.b", "a b", "a\x00b", "a\\b", "é", "=x",
     "/".join("abcdefghijk"), "x" * 101],
)  # fmt: skip
async def test_a_name_that_could_reach_elsewhere_is_none(store, name):
    with pytest.raises(BadName):
        Key(uuid4(), name)
    if name not in ("", "a/"):
        with pytest.raises(BadName):
            await store.list(uuid4(), name + "/" if "/".join("abcdefghijk") == name else name)


@pytest.mark.parametrize("answers", [False, True], ids=["nobody listens", "nobody answers"])
async def test_an_absent_s3_server_is_told_soon_and_never_waited_for_without_end(answers, key):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if not answers:
            silent.close()
        store = S3Store(S3Place("b", f"http://127.0.0.1:{port}", "us-east-1", True), ("a", "s"))
        calls = (
            store.ready(),
            store.get(key),
            store.put(key, b"", "text/plain"),
            store.put_if_absent(key, b"", "text/plain"),
        )
        async with asyncio.timeout(60):
            told = await asyncio.gather(*calls, return_exceptions=True)
        assert [str(one) for one in told if isinstance(one, DependencyAway)] == ["object store"] * 4
        await store.close()


async def test_wrong_keys_and_a_wrong_bucket_are_the_stores_absence_not_the_callers_fault(s3, key):
    right = place_of(s3.address.url)
    assert isinstance(right, S3Place)
    wrong_keys = S3Store(right, (s3.address.access_key, "wrong"))
    wrong_bucket = S3Store(
        S3Place("elsewhere", right.endpoint, right.region, True), (s3.address.access_key, s3.address.secret_key)
    )
    for store in (wrong_keys, wrong_bucket):
        with pytest.raises(DependencyAway):
            await store.ready()
        with pytest.raises(DependencyAway):
            await store.get(key)
        await store.close()


async def test_a_disk_that_cannot_be_written_is_the_stores_absence(tmp_path, key):
    (tmp_path / "file").write_text("a file where a folder must be")
    store = DiskStore(tmp_path / "file", "http://127.0.0.1:1", SystemClock())
    with pytest.raises(DependencyAway):
        await store.put(key, b"x", "text/plain")
    with pytest.raises(DependencyAway):
        await store.ready()


async def test_what_is_kept_on_disk_is_for_the_owner_alone_and_nothing_half_written_stays(tmp_path, key):
    store = DiskStore(tmp_path / "objects", "http://127.0.0.1:1", SystemClock())
    await store.put(key, b"x", "text/plain")
    store.download_url(key, life=MINUTE)
    files = [path for path in (tmp_path / "objects").rglob("*") if path.is_file()]
    assert sorted(path.name for path in files) == [".key", "=one.png"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in files)


async def test_uploaded_pages_are_not_shown_in_our_origin(tmp_path, web):
    async with on_disk(tmp_path) as store:
        for kind, shown in (("text/html", "attachment"), ("image/svg+xml", "attachment"), ("image/png", "inline")):
            key = Key(uuid4(), "x")
            await store.put(key, b"<script>", kind)
            answer = await web.get(store.download_url(key, life=MINUTE))
            assert answer.headers["content-disposition"] == shown
            assert "sandbox" in answer.headers["content-security-policy"]


async def test_two_processes_sign_for_each_other(tmp_path, key):
    one, two = (DiskStore(tmp_path, "http://127.0.0.1:1", SystemClock()) for _ in range(2))
    query = dict(httpx2.URL(one.download_url(key, life=MINUTE)).params)
    assert two.holds("GET", key, query, query.pop("signature"))


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("file:///var/lib/bookbag/o%20k", "/var/lib/bookbag/o k"),
        ("s3://b", S3Place("b", None, "us-east-1", False)),
        ("s3://b?endpoint=https://s3.example&region=eu-west-2&path_style=true",
         S3Place("b", "https://s3.example", "eu-west-2", True)),
    ],
)  # fmt: skip
def test_the_address_of_a_store_says_what_it_is(url, place):
    found = place_of(url)
    assert (str(found.folder) if isinstance(found, DiskPlace) else found) == place


@pytest.mark.parametrize(
    "url", ["", "file://host/x", "file:relative", "s3://", "s3://key:secret@b", "s3://b/prefix", "s3://b?regoin=x",
            "s3://b?path_style=maybe", "s3://b?endpoint=ftp://x", "gs://b"],
)  # fmt: skip
def test_an_address_that_cannot_be_read_is_refused_in_words(url):
    with pytest.raises(ValueError, match="object store"):
        place_of(url)


async def test_a_service_keeps_objects_where_the_settings_say(fresh_house: House, key: Key) -> None:
    async with fresh_house.runtime("messaging") as runtime:
        await runtime.objects.put(key, b"kept", "text/plain")
        assert (fresh_house.folder / "objects" / str(key.school) / "pictures" / "=one.png").exists()
    async with fresh_house.runtime("messaging", BOOKBAG_OBJECT_STORE="") as runtime:
        with pytest.raises(LookupError, match="BOOKBAG_OBJECT_STORE"):
            _ = runtime.objects
    with pytest.raises(ValueError, match="object store"), fresh_house.settings(BOOKBAG_OBJECT_STORE="s3://a/b"):
        pass


async def test_the_process_of_one_machine_answers_the_urls_it_signs(fresh_house: House, key: Key) -> None:
    with fresh_house.settings(BOOKBAG_ENVIRONMENT="embedded") as platform:
        store = opened(platform, SystemClock())
        routes = [route for route in _extra_routes(platform) if getattr(route, "path", "").startswith("/objects/")]
        upload = store.upload_url(key, length=2, content_type="text/plain", life=MINUTE)
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=Starlette(routes=routes))) as web:
            assert (await web.put(upload.url, headers=upload.headers, content=b"hi")).status_code == 200
        assert await store.get(key) == b"hi"
    with fresh_house.settings(BOOKBAG_ENVIRONMENT="embedded", BOOKBAG_OBJECT_STORE="s3://b") as platform:
        assert not [route for route in _extra_routes(platform) if getattr(route, "path", "").startswith("/objects/")]
