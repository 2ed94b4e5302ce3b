from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fabric_hub.datasets.model import Accepting
from fabric_hub.errors import FabricError
from fabric_hub.launch.choice import Choice, choose
from fabric_hub.launch.options import NAMES, UserOptions, from_form, from_url, parse_options
from tests.support.builders import TODAY, a_site

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ud800-\udfff]")
SITE = a_site(Path("/srv/fabric"))

HOSTILE = [
    "", " ", "\n", "gpu\n", "gpu\r\n#SBATCH --uid=0", "$(id)", "`id`", "; rm -rf /", "a|b", "a&b", "'\"", "../../etc",
    "\0", "gpu\0", "-", "--uid=0", "-gpu", "gpu-", "GPU", "\uff47\uff50\uff55", "\u0430bc", "gp\u200bu", "\u202egpu",
    "\ud800", "a" * 41, "a" * 100_000, "{user}", "%s%n", "{{7*7}}", "<script>", "physics", "gpu", "base", "nan", "inf",
    "1e999", "-1", "0", "1,5", "2", "9" * 6000, "\u0661", "null", "project", "__class__", "model_config", "_xsrf",
]  # fmt: skip
TEXTS = st.sampled_from(HOSTILE) | st.text(st.characters(codec=None), max_size=30)
NUMBERS = (
    st.integers() | st.sampled_from([0, 1, 2.5, 10**400, -(10**400), 8785]) | st.floats() | st.booleans() | st.none()
)
VALUES = st.recursive(
    TEXTS | NUMBERS | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(NAMES) | TEXTS
OPTIONS = st.dictionaries(KEYS, VALUES, max_size=6)


def strings_of(options: UserOptions | Choice) -> list[str]:
    found = [options.project, options.profile, options.image, *options.datasets]
    return [text for text in found if text is not None]


def assert_told_well(error: FabricError) -> None:
    assert 400 <= error.status < 500
    assert error.text
    assert error.reason
    assert not CONTROL.search(error.text), ascii(error.text)
    assert len(error.text) < 2000


@settings(max_examples=600)
@given(OPTIONS)
@example({"project": ["a", "b"]})
@example({"datasets": ["a"] * 101})
@example({"\x1b[31m": 1})
def test_whatever_a_client_sends_is_typed_or_refused_in_words(raw: dict[str, Any]) -> None:
    try:
        options = parse_options(raw)
    except FabricError as error:
        assert_told_well(error)
    else:
        assert all(SLUG.fullmatch(text) for text in strings_of(options))
        assert options.hours is None or 0 < options.hours <= 8784
        assert len(options.datasets) <= 100


@settings(max_examples=500)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4), st.sampled_from(["jan", "eve", "bob", "nobody"]))
def test_whatever_is_chosen_is_of_the_site_or_refused_in_words(raw: dict[str, Any], user: str) -> None:
    try:
        choice = choose(SITE, user, parse_options(raw), TODAY)
    except FabricError as error:
        assert_told_well(error)
    else:
        assert user in SITE.project[choice.project].members.member
        assert choice.account == SITE.project[choice.project].account
        assert choice.hours <= SITE.profile[choice.profile].max_hours
        assert choice.image in SITE.image
        assert choose(SITE, user, parse_options(choice.options()), TODAY) == choice


@pytest.mark.parametrize("raw", [[], "project=a", 5, {"a"}, True])
def test_options_that_are_no_object_are_refused(raw: Any) -> None:
    with pytest.raises(FabricError, match="User options must be an object"):
        parse_options(raw)


@pytest.mark.parametrize("raw", [None, {}, {"project": ""}, {"project": [""]}, {"hours": [" "], "datasets": [""]}])
def test_what_is_empty_is_left_out(raw: Mapping[str, Any] | None) -> None:
    assert parse_options(raw) == UserOptions()


def test_form_url_and_rest_mean_the_same() -> None:
    form = {"project": ["physics"], "profile": ["gpu"], "hours": ["2.5"], "datasets": ["a", "b"]}
    rest = {"project": "physics", "profile": "gpu", "hours": 2.5, "datasets": ["a", "b"]}
    assert parse_options(form) == parse_options(rest)
    assert parse_options({"hours": ["2,5"]}).hours == 2.5
    assert parse_options({"hours": 2}).hours == 2.0


def test_every_mistake_is_named_once() -> None:
    with pytest.raises(FabricError) as caught:
        parse_options({"project": "A", "hours": "soon", "colour": "red"})
    for words in ("Option project", "Option hours", "no option 'colour'"):
        assert caught.value.message.count(words) == 1
    assert "red" not in caught.value.text
    assert all(name in caught.value.hint for name in NAMES)


def test_many_unknown_options_are_counted_not_listed() -> None:
    with pytest.raises(FabricError) as caught:
        parse_options({f"x{number}": 1 for number in range(1000)})
    assert caught.value.message.endswith("There are 992 more mistakes.")
    assert caught.value.hint.startswith("Options are project, profile, ")
    with pytest.raises(FabricError, match=r"There is 1 more mistake\. Options are "):
        parse_options({f"x{number}": 1 for number in range(9)})


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"hours": "soon"}, "Option hours must be a number above 0 (at most 8784)."),
        ({"datasets": ["A"]}, "Option datasets must be at most 100 names in lower-case letters, digits and hyphens."),
        ({"image": "A"}, "Option image must be one name in lower-case letters, digits and hyphens."),
    ],
)
def test_a_mistake_says_what_would_be_none(raw: dict[str, Any], words: str) -> None:
    with pytest.raises(FabricError) as caught:
        parse_options(raw)
    assert caught.value.message == words


def test_more_than_one_project_is_refused() -> None:
    with pytest.raises(FabricError, match="Option project must be one name"):
        parse_options({"project": ["physics", "course"]})


FORM = {"project": ["physics"], "datasets": ["wind-farm", "soil"]}


def test_the_forms_fields_and_rest_say_the_same_of_an_agreement() -> None:
    form = from_form({**FORM, "accept-wind-farm": ["2"], "purpose-wind-farm": ["research"], "purpose-soil": [""]})
    rest = {
        "project": "physics",
        "datasets": ["wind-farm", "soil"],
        "agreements": {"wind-farm": {"version": "2", "purpose": "research"}},
    }
    assert parse_options(form) == parse_options(rest)
    assert parse_options(form).agreements == {"wind-farm": Accepting(version="2", purpose="research")}


def test_a_purpose_without_a_ticked_box_and_a_box_without_its_dataset_accept_nothing() -> None:
    for fields in (
        {**FORM, "purpose-wind-farm": ["research"]},
        {**FORM, "accept-weather": ["1"], "purpose-weather": ["research"]},
        {"accept-weather": ["1"], "purpose-weather": ["research"]},
    ):
        assert parse_options(from_form(fields)).agreements == {}


def test_an_agreement_without_a_purpose_is_refused_in_words() -> None:
    with pytest.raises(FabricError, match="the version that was read, and one of the dataset's purposes"):
        parse_options(from_form({**FORM, "accept-wind-farm": ["2"], "purpose-wind-farm": [""]}))


@pytest.mark.parametrize(
    "agreements",
    ["yes", 5, ["wind-farm"], {"wind-farm": "1"}, {"wind-farm": {"version": "1"}}, {"Wind": {}},
     {"wind-farm": {"version": "1\n", "purpose": "research"}}, {"wind-farm": {"version": "1", "purpose": "a", "x": 1}}],
)  # fmt: skip
def test_an_agreement_that_is_none_is_refused_in_words(agreements: Any) -> None:
    with pytest.raises(FabricError, match="Option agreements must give each dataset") as caught:
        parse_options({"agreements": agreements})
    assert_told_well(caught.value)


@pytest.mark.parametrize("name", ["agreements", "accept-wind-farm", "purpose-wind-farm"])
def test_no_link_accepts_an_agreement(name: str) -> None:
    with pytest.raises(FabricError, match="A link cannot accept an agreement") as caught:
        from_url({"datasets": ["wind-farm"], name: ["1"]})
    assert caught.value.reason == "agreement"
    assert from_url({"datasets": ["wind-farm"]}) == {"datasets": ["wind-farm"]}


@given(OPTIONS)
def test_whatever_a_form_sends_is_typed_or_refused_in_words(raw: dict[str, Any]) -> None:
    try:
        parse_options(from_form(raw))
    except FabricError as error:
        assert_told_well(error)


def test_the_rescue_button_stands_for_the_whole_form() -> None:
    fields = {"rescue": ["twin/rescue"], "project": ["other"], "profile": ["gpu-1"], "datasets": ["corpus"]}
    assert parse_options(from_form(fields)) == UserOptions(project="twin", profile="rescue")
