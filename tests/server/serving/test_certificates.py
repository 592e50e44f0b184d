"""Claims about new certificates: taken without a restart, and never half."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from dropaudit.errors import InvalidArgument
from dropaudit_server.probe import answers_tls
from dropaudit_server.serving.certificates import Certificates as ServerCertificates
from support.calls import METHODS, call_method, refusal_of
from support.certificates import Certificates, issue
from support.services import server


@pytest.fixture
def old(tmp_path: Path) -> Certificates:
    return issued(tmp_path / "old")


@pytest.fixture
def new(tmp_path: Path) -> Certificates:
    return issued(tmp_path / "new")


def issued(folder: Path) -> Certificates:
    folder.mkdir()
    return issue(folder)


@pytest.fixture
def place(old: Certificates, tmp_path: Path) -> Path:
    """The folder whose files the server reads: chain, key, and the authority of clients."""
    folder = tmp_path / "place"
    folder.mkdir()
    put(old, folder)
    return folder


def put(found: Certificates, place: Path, *names: str) -> None:
    """Put files in the place of others at once, as whoever renews certificates does."""
    sources = {"chain": found.server, "key": found.server_key, "ca": found.authority}
    for name in names or sources:
        shutil.copy(sources[name], place / "next")
        (place / "next").rename(place / name)


@pytest.fixture
def address(place: Path, redis_url: str, tmp_path: Path) -> Iterator[str]:
    """Address of a server that asks clients for certificates."""
    settings = {"tls_certificate": place / "chain", "tls_key": place / "key", "tls_client_ca": place / "ca"}
    with server(redis_url, tmp_path, ready=lambda found: answers_tls(found, 1.0), **settings) as address:
        yield address.replace("127.0.0.1", "localhost")


def opened(address: str, found: Certificates) -> grpc.Channel:
    """Return a channel of a client that trusts an authority and is certified by it, with a connection of its own."""
    contents = (path.read_bytes() for path in (found.authority, found.client_key, found.client))
    options = [("grpc.use_local_subchannel_pool", 1)]
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(*contents), options)


def serves(channel: grpc.Channel) -> bool:
    return call_method(channel, METHODS["ListModels"]) == [b""]


def refused(address: str, found: Certificates) -> bool:
    with opened(address, found) as channel:
        return refusal_of(lambda: serves(channel)).code == "UNAVAILABLE"


def test_a_new_certificate_and_a_new_authority_are_taken_without_a_restart(
    address: str, place: Path, old: Certificates, new: Certificates
) -> None:
    with opened(address, old) as before:
        assert serves(before)
        assert refused(address, new)
        put(new, place)
        with opened(address, new) as after:
            assert serves(after)
        assert refused(address, old)
        # A connection that is open stays.
        assert serves(before)


def test_files_that_do_not_fit_change_nothing_until_they_do(
    address: str, place: Path, old: Certificates, new: Certificates, tmp_path: Path
) -> None:
    put(new, place, "chain")
    with opened(address, old) as still:
        assert serves(still)
    (place / "ca").unlink()
    with opened(address, old) as still:
        assert serves(still)
    put(new, place, "key", "ca")
    with opened(address, new) as after:
        assert serves(after)
    log = (tmp_path / "server.log").read_text()
    assert "the server goes on with the old ones" in log
    assert log.count("the certificates have changed") == 1


SPOIL: dict[str, tuple[Callable[[Path, Certificates], object], str]] = {
    "a key of another": (lambda place, new: put(new, place, "key"), "not a certificate with its key"),
    "no key": (lambda place, _: (place / "key").unlink(), "cannot read"),
    "no certificate": (lambda place, _: (place / "chain").write_text("words"), "not a certificate with its key"),
    "no authority": (lambda place, _: (place / "ca").write_text("words"), "ca holds no certificates"),
}


@pytest.mark.parametrize(("spoil", "word"), SPOIL.values(), ids=SPOIL)
def test_at_the_start_files_that_cannot_be_used_are_refused(
    spoil: Callable[[Path, Certificates], object], word: str, place: Path, new: Certificates
) -> None:
    spoil(place, new)
    with pytest.raises(InvalidArgument, match=word):
        ServerCertificates(place / "chain", place / "key", place / "ca")
