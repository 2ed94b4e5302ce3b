"""Without internal TLS the authorities that a site names go along with each session, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.config.settings import Settings, parse
from fabric_hub.errors import FabricError
from fabric_hub.gateway.request_policy import FILES
from fabric_hub.hub.spawner.session_files import SERVICE_CA, service_authority
from tests.support.builders import site_text


def site(directory: Path, more: str) -> Settings:
    authorities = f"[hub]\nnodes_url = 'https://hub.example.org'\nnodes_ca = '{directory}/ca.crt'\n"
    return parse(site_text(directory).replace("[hub]", authorities).replace("internal_ssl = false", more))


def test_the_named_authorities_are_a_file_of_the_session_that_the_gateway_takes(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
    (file,) = service_authority(site(tmp_path, "internal_ssl = false"))
    assert (file.name, file.content) == (SERVICE_CA, "-----BEGIN CERTIFICATE-----\n")
    assert file.name in FILES
    assert service_authority(site(tmp_path, "internal_ssl = true")) == ()


def test_a_file_of_authorities_that_is_gone_is_named_and_no_session_starts_without_it(tmp_path: Path) -> None:
    with pytest.raises(
        FabricError, match=f"The file of authorities that sessions trust, {tmp_path}/ca.crt, cannot be read"
    ):
        service_authority(site(tmp_path, "internal_ssl = false"))
