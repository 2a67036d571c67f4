"""Finding a daemon, and what is shown to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
import trustme
from fake_daemon import FakeDaemon, serving

import interpretd_client as client
from interpretd_client.address import Address
from interpretd_client.errors import translate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "target", "tls", "far"),
    [
        ("localhost:1", "localhost:1", False, False),
        ("127.0.0.2:1", "127.0.0.2:1", False, False),
        ("http://[::1]:5000", "[::1]:5000", False, False),
        ("unix:/run/x.sock", "unix:/run/x.sock", False, False),
        ("unix:///run/x.sock", "unix:/run/x.sock", False, False),
        ("192.168.0.2:1", "192.168.0.2:1", False, True),
        ("https://desk.example:1", "desk.example:1", True, True),
    ],
)
def test_addresses_in_all_spellings(text: str, target: str, tls: bool, far: bool) -> None:
    address = Address.parse(text)
    assert (address.target, address.tls, address.far) == (target, tls, far)


@pytest.mark.parametrize(
    "text", ["", "localhost", "ftp://a:1", "unix:", "a b:1", ":5000", "a:99999", "http://a:1/path"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(client.InvalidArgument, match="is no address"):
        client.connect(text)


def test_a_token_never_travels_in_the_clear_nor_into_a_log() -> None:
    with pytest.raises(client.InvalidArgument, match="in the clear"):
        client.connect("desk.example:1", token="secret")
    for address in ("https://desk.example:1", "localhost:1", "unix:/x"):
        daemon = client.connect(address, token="secret")
        assert "secret" not in repr(daemon._credentials)
    for token in ("two\nlines", "naïve"):
        with pytest.raises(client.InvalidArgument, match="characters"):
            client.connect("localhost:1", token=token)


def test_certificates_without_tls_are_a_mistake() -> None:
    with pytest.raises(client.InvalidArgument, match="https://"):
        client.connect("localhost:1", ca="ca.pem")
    with pytest.raises(client.InvalidArgument, match="together"):
        client.connect("https://localhost:1", certificate="c.pem")


async def test_questions_are_answered() -> None:
    async with serving(FakeDaemon()) as address, client.connect(address) as daemon:
        assert [(pair.source, pair.target) for pair in await daemon.languages()] == [("fr", "en")]
        assert [voice.name for voice in await daemon.voices("fr")] == ["v-fr"]
        assert len(await daemon.voices()) == 2
        assert (await daemon.capacity()).sessions_max == 8


async def test_a_room_is_listened_to() -> None:
    async with serving(FakeDaemon()) as address, client.connect(address) as daemon:
        events = [event async for event in daemon.listen("hall", "en", captions_only=True)]
        kinds = [type(event) for event in events]
        assert kinds == [client.SessionStarted, client.TranslatedText, client.SessionEnded]
        with pytest.raises(client.Refused) as refused:
            await anext(daemon.listen("attic"))
        assert refused.value.reason == "no-room"


async def test_a_unix_socket(tmp_path: Path) -> None:
    socket = f"unix:{tmp_path}/x.sock"
    async with serving(FakeDaemon(), socket), client.connect(socket) as daemon:
        assert await daemon.languages()


async def test_nobody_is_there() -> None:
    async with client.connect("127.0.0.1:1") as daemon:
        with pytest.raises(client.Unreachable, match="is interpretd running there"):
            await daemon.languages()


async def test_a_daemon_is_used_as_a_context_manager() -> None:
    with pytest.raises(client.InterpretdError, match="async with"):
        await client.connect("127.0.0.1:1").languages()


async def test_tokens() -> None:
    fake = FakeDaemon()
    async with serving(fake) as address:
        async with client.connect(address, token="good\n") as daemon:
            await daemon.languages()
            assert fake.metadata["authorization"] == "Bearer good"
        async with client.connect(address, token="wrong") as daemon:
            with pytest.raises(client.Unauthenticated, match="pass token="):
                await daemon.languages()


async def test_tls_and_mutual_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    server = authority.issue_cert("localhost")
    own = authority.issue_cert("desk@example.org")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    own.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    pair = (server.private_key_pem.bytes(), server.cert_chain_pems[0].bytes())
    for mutual in (False, True):
        credentials = grpc.ssl_server_credentials(
            [pair], authority.cert_pem.bytes() if mutual else None, require_client_auth=mutual
        )
        async with serving(FakeDaemon(), "localhost:0", credentials) as address:
            place = address.replace("127.0.0.1", "https://localhost")
            certificate, key = (tmp_path / "cert.pem", tmp_path / "key.pem") if mutual else (None, None)
            secret = client.connect(
                place, token="secret", ca=tmp_path / "ca.pem", certificate=certificate, key=key
            )
            async with secret as daemon:
                assert await daemon.languages()
            async with client.connect(place) as daemon:
                with pytest.raises(client.Unreachable, match="TLS with a certificate"):
                    await daemon.languages()
    with pytest.raises(client.InvalidArgument, match="cannot read"):
        async with client.connect("https://localhost:1", ca=tmp_path / "none.pem"):
            pass


def test_retry_times_are_taken_as_they_are_meant() -> None:
    for text, seconds in (("1500", 1.5), ("0", 0.0), ("-1", None), ("soon", None)):
        trailing = grpc.aio.Metadata(("interpret-reason", "quota"), ("grpc-retry-pushback-ms", text))
        error = grpc.aio.AioRpcError(
            grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.aio.Metadata(), trailing, details="used up"
        )
        refused = translate(error, "x:1", begun=False)
        assert isinstance(refused, client.Busy)
        assert refused.retry_after == seconds
        assert refused.reason == "quota"
