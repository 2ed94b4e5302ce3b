"""What leaves the hub has no secret in it, and still says what happened."""

from __future__ import annotations

import time

import pytest

from fabric_hub.logs.lines import HIDDEN
from fabric_hub.logs.redaction import redact, redact_lines

SECRET = "Zq7wT0kEnV4lue"
HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "text",
    [
        f"JUPYTERHUB_API_TOKEN={SECRET}",
        f"export JUPYTERHUB_API_TOKEN='{SECRET} and more {SECRET}'",
        f"JUPYTERHUB_API_TOKEN : {SECRET}",
        f'{{"api_token": "{SECRET}", "name": "x"}}',
        f"{{'password': '{SECRET}'}}",
        f"db_password = {SECRET}",
        f"AWS_SECRET_ACCESS_KEY={SECRET}",
        f"client_secret={SECRET}&code=1",
        f"http://127.0.0.1:8888/lab?token={SECRET}",
        f"GET /user/jan/api?a=1&_xsrf={SECRET} 200",
        f"X-XSRFToken: {SECRET}",
        f"Authorization: token {SECRET}",
        f"authorization: Basic {SECRET}",
        f"'Authorization': 'Bearer {SECRET}'",
        f"Proxy-Authorization: Digest username=jan, response={SECRET}",
        f"Cookie: jupyterhub-session-id={SECRET}; other={SECRET}",
        f"Set-Cookie: a={SECRET}; HttpOnly",
        f"git clone https://jan:{SECRET}@git.example.org/x.git",
        f"postgresql+psycopg://fabric:{SECRET}@db/fabric",
        f"pip install --index-url https://{SECRET}@pypi.example.org/simple x",
        f"mysql --password {SECRET} -u jan",
        f"login --api-key={SECRET}",
        f"the password is {SECRET}",
        f"curl -H 'Bearer {SECRET}{SECRET}'",
        f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.abc",
        f"ghp_{SECRET}{SECRET}",
        f"hf_{SECRET}{SECRET}",
        f"token {HEX}",
        f"is {HEX} valid?",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n{SECRET}",
        f"wachtwoord: {SECRET}",
    ],
)
def test_a_secret_is_removed(text: str) -> None:
    told = redact(text)
    assert HIDDEN in told
    for secret in (SECRET, HEX):
        assert secret not in told


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[I 2026-11-30 17:00:01.123 ServerApp] Jupyter Server 2.16.0 is running at: http://10.0.0.5:41234/user/jan/",
        "ModuleNotFoundError: No module named 'torch'",
        "slurmstepd: error: *** JOB 4711 ON gpu2 CANCELLED AT 2026-11-30T17:00:00 DUE TO TIME LIMIT ***",
        "/scratch/projects/ml-course/2026-11-30/checkpoints/model_epoch_12_validation_loss_0.0312.safetensors",
        "OSError: [Errno 122] Disk quota exceeded: '/home/jan/.local/share/jupyter/runtime'",
        "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB",
        "session k5x2m7a4b3cd of project physics, job 17",
        "Traceback (most recent call last):\n  File \"x.py\", line 3, in <module>\n    raise KeyError('name')",
    ],
)
def test_what_is_no_secret_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_what_stands_beside_a_secret_stays() -> None:
    assert redact(f"user=jan token={SECRET} host=gpu1") == f"user=jan token={HIDDEN} host=gpu1"
    assert (
        redact(f"GET /hub/x?token={SECRET}&page=2 (jan@10.0.0.1)") == f"GET /hub/x?token={HIDDEN}&page=2 (jan@10.0.0.1)"
    )
    assert redact(f"https://jan:{SECRET}@git.example.org/x.git") == f"https://{HIDDEN}@git.example.org/x.git"
    assert redact_lines(["first", f"Cookie: {SECRET}", "last"]) == ("first", f"Cookie: {HIDDEN}", "last")
    assert redact_lines([]) == ()


def test_it_says_the_same_when_it_is_asked_again() -> None:
    once = redact(f"Authorization: token {SECRET}\npassword={SECRET} --token {SECRET}")
    assert redact(once) == once


def test_a_key_that_goes_over_lines_is_removed_whole() -> None:
    lines = ["before", "-----BEGIN PRIVATE KEY-----", SECRET, "-----END PRIVATE KEY-----", "after"]
    assert redact_lines(lines) == ("before", HIDDEN, "after")


def test_no_text_makes_it_slow() -> None:
    began = time.process_time()
    for piece in (
        "token" * 4000,
        "a-" * 10_000,
        "password=" * 2500,
        "x" * 20_000,
        "'\\" * 10_000,
        "-----BEGIN " * 2000,
    ):
        redact(piece)
    assert time.process_time() - began < 20
