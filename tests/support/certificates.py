"""Certificates for tests of TLS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificates:
    """Files of an authority, a server and a client, and those of a stranger."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path
    stranger: Path
    stranger_key: Path


def issue(folder: Path) -> Certificates:
    """Write certificates to a folder; the server's is for localhost."""
    authority, other = trustme.CA(), trustme.CA()
    paths = [folder / "ca.pem"]
    authority.cert_pem.write_to_path(paths[0])
    issued = {
        "server": authority.issue_cert("localhost"),
        "client": authority.issue_cert("client"),
        "stranger": other.issue_cert("stranger"),
    }
    for name, found in issued.items():
        paths += [folder / f"{name}.pem", folder / f"{name}.key"]
        found.cert_chain_pems[0].write_to_path(paths[-2])
        found.private_key_pem.write_to_path(paths[-1])
    return Certificates(*paths)
