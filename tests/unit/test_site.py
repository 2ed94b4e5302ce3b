"""The site of the documentation: every link leads somewhere, and reading it asks no other host."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import site


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The site of this checkout, and what is wrong with it."""
    into = tmp_path_factory.mktemp("site")
    return into, site.build(site.ROOT, into)


def test_every_link_of_every_page_leads_somewhere_and_every_page_is_in_the_menu(built: tuple[Path, list[str]]) -> None:
    assert built[1] == []


def test_reading_the_site_fetches_nothing_from_another_host(built: tuple[Path, list[str]]) -> None:
    assert list(site.foreign(built[0])) == []


@pytest.mark.parametrize("page", ["README", "CONTRIBUTING", "SECURITY", "CHANGELOG", "docs/index", "docs/architecture"])
def test_the_pages_that_a_checkout_begins_with_are_in_the_site(built: tuple[Path, list[str]], page: str) -> None:
    assert (built[0] / f"{page}.html").is_file()


def test_the_search_knows_the_words_of_the_pages(built: tuple[Path, list[str]]) -> None:
    index = (built[0] / "searchindex.js").read_text()
    assert "docs/how-to/install-on-a-site" in index
    assert "batchspawn" in index  # the stem


def test_a_link_to_nowhere_and_a_page_without_a_place_are_found(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "docs").mkdir(parents=True)
    for name in ("CONTRIBUTING", "SECURITY", "CHANGELOG", "docs/index", "docs/lost"):
        (source / f"{name}.md").write_text("# Page\n")
    (source / "README.md").write_text(
        "# Top\n\n[one](docs/gone.md) [two](docs/index.md#nothing) [three](#nowhere) [ok](#top)\n"
    )
    said = site.build(source, tmp_path / "site")
    assert len(said) == 4, said
    page = "README.md:3: WARNING: "
    for place, word in (
        (page, "'docs/gone.md'"),
        (page, "'nothing'"),
        (page, "'nowhere'"),
        ("docs/lost.md: ", "toctree"),
    ):
        assert sum(line.startswith(place) and word in line for line in said) == 1, (word, said)


def test_what_another_host_would_be_asked_for_is_found(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '<link href="https://a.example/x.css"><img srcset="b.png 1x, //c.example/c.png 2x"><script src="d.js"></script>'
        '<style>@import "https://e.example/e.css";</style><p style="background: url(http://f.example/f.png)">'
        '<a href="https://people.example/follow">a link</a>'
    )
    (tmp_path / "style.css").write_text(
        "@font-face { src: url('https://g.example/g.woff2') } b { background: url(h.png) }"
    )
    assert sorted(one.partition("//")[2].partition("/")[0] for one in site.foreign(tmp_path)) == [
        f"{letter}.example" for letter in "acefg"
    ]
