"""What a project or a dataset asks of a login: absence is normal, and a refusal names what was not sent."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from fabric_hub.config.assurance import Asks
from fabric_hub.projects.assurance import Vouched, refusal

MEDIUM, LOW = (f"https://refeds.org/assurance/IAP/{level}" for level in ("medium", "low"))
MFA, PASSWORD = "https://refeds.org/profile/mfa", "https://refeds.org/profile/sfa"
NOW = 1_800_000_000.0
FACTOR = Asks(acr=(MFA,), max_age_minutes=60)


def told(asks: Asks | None, **vouched: object) -> str | None:
    known = Vouched.model_validate({"provider": "uni", **vouched})
    found = refusal(asks, known, "Trial", "Example University", "help@example.org", NOW)
    return None if found is None else f"{found.code}: {found.say()} {found.hint.say() if found.hint else ''}"


@pytest.mark.parametrize("asks", [None, Asks()])
def test_absence_is_normal_where_nothing_is_asked(asks: Asks | None) -> None:
    assert told(asks) is None
    assert told(asks, provider="") is None


@pytest.mark.parametrize(
    ("asks", "vouched"),
    [
        (Asks(assurance=(MEDIUM,)), {"assurance": [LOW, MEDIUM]}),
        (Asks(acr=(MFA,)), {"acr": MFA}),
        (FACTOR, {"acr": MFA, "auth_time": NOW - 3600}),
        (Asks(assurance=(MEDIUM,), acr=(MFA,)), {"assurance": [MEDIUM], "acr": MFA}),
    ],
)
def test_a_login_that_is_good_enough_is_taken(asks: Asks, vouched: dict[str, object]) -> None:
    assert told(asks, **vouched) is None


@pytest.mark.parametrize(
    ("asks", "vouched", "code", "names"),
    [
        (Asks(assurance=(MEDIUM,)), {"provider": ""}, "assurance-no-provider", "Log in by your institution"),
        (Asks(assurance=(MEDIUM,)), {}, "assurance-missing", "no eduperson_assurance came"),
        (Asks(assurance=(MEDIUM,)), {"assurance": [LOW]}, "assurance-too-low", LOW),
        (Asks(assurance=(MEDIUM,)), {"assurance": [MEDIUM + "x"]}, "assurance-too-low", MEDIUM),
        (FACTOR, {}, "second-factor-missing", "no acr came"),
        (FACTOR, {"acr": PASSWORD, "auth_time": NOW}, "second-factor-other", PASSWORD),
        (FACTOR, {"acr": MFA}, "second-factor-no-time", "no auth_time came"),
        (FACTOR, {"acr": MFA, "auth_time": NOW - 3601}, "second-factor-too-old", "within the last 60 min"),
        (FACTOR, {"acr": MFA, "auth_time": NOW + 61}, "second-factor-too-old", "within the last 60 min"),
        (Asks(assurance=(MEDIUM,), acr=(MFA,)), {"acr": MFA}, "assurance-missing", "eduperson_assurance"),
    ],
)
def test_a_refusal_names_what_was_not_sent_and_whom_to_write_to(
    asks: Asks, vouched: dict[str, object], code: str, names: str
) -> None:
    said = told(asks, **vouched)
    assert said is not None
    assert said.startswith(f"{code}: Trial ")
    assert names in said
    assert "help@example.org" in said
    if code.startswith("second-factor"):
        again = "/hub/login/uni?acr=https%3A%2F%2Frefeds.org%2Fprofile%2Fmfa&max_age=3600"
        assert again in said


def test_an_age_is_that_of_a_way_to_log_in() -> None:
    with pytest.raises(ValidationError) as wrong:
        Asks(max_age_minutes=5)
    assert "max_age_minutes needs acr: the age of which way to log in?" in str(wrong.value)
