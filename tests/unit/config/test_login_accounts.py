"""``[login.accounts]``: what a site's file must say of the mapping that it chooses."""

from __future__ import annotations

from pathlib import Path

import pytest

from fabric_hub.config.settings import parse
from fabric_hub.errors import FabricError
from tests.support.builders import least_site_text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('source = "table"', 'source = "table" needs table'),
        ('source = "pool"', 'source = "pool" needs pool'),
        ('source = "pool"\npool = "guest##"\npool_size = 100', "guest## has no 100 numbers: another # is needed"),
        ('source = "pool"\npool = "guest"', "a name with a # for each digit of its number"),
    ],
)
def test_a_mapping_that_lacks_something_says_what(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(FabricError) as refused:
        parse(least_site_text(tmp_path, f"[login.accounts]\n{text}\n"))
    assert words in str(refused.value)


def test_the_name_service_is_the_default_and_a_pool_has_its_numbers(tmp_path: Path) -> None:
    assert parse(least_site_text(tmp_path)).login.accounts.source == "name-service"
    text = '[login.accounts]\nsource = "pool"\npool = "guest###"\npool_size = 999\n'
    assert parse(least_site_text(tmp_path, text)).login.accounts.pool_size == 999
