"""Text that leaves the hub, without the secrets that may stand in it. Pure.

Beside what the hub's own lines never have (:func:`fabric_hub.logs.lines.hidden`), this knows what programs that nobody
here knows may print: what remains says what happened, and opens nothing. It errs towards removing; line breaks and the
rest stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from .lines import HIDDEN, hidden

# A value as it stands behind a name: in quotation marks, or up to the next blank, comma, quotation mark or bracket.
_QUOTED = r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'"
_VALUE = rf"(?:{_QUOTED}|[^\s,;&\"'<>)\]}}]+)"
# A name that says that its value is a secret: JUPYTERHUB_API_TOKEN, api_key, X-XSRFToken, db-password, client_secret.
# What stands before the word is kept anyway, and not looked for: that takes seconds for a text made up for it.
_SECRET_WORD = (
    r"(?:token|secret|passw(?:or)?d|passphrase|passwd|pwd|api[_-]?key|access[_-]?key|"
    r"private[_-]?key|xsrf|csrf|credentials?|session[_-]?id|signature|wachtwoord)[\w-]{0,40}"
)
_SECRET_NAME = rf"[\w.-]{{0,40}}?{_SECRET_WORD}"
# What `Name: …` of HTTP has up to the end of its line.
_HEADERS = (
    r"(?:proxy-)?authorization|(?:set-)?cookie2?|x-api-key|x-auth-token|x-amz-security-token|www-authenticate|"
    r"x-jupyterhub-api-token"
)

_RULES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    # a key in PEM, whole or from its first line on
    (
        re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        HIDDEN,
    ),
    # a header: "Authorization: Bearer …", 'Cookie': '…', also within a dict that was printed
    (
        re.compile(rf"(?i)(?P<name>[\"']?\b(?:{_HEADERS})\b[\"']?\s*[:=]\s*)(?:{_QUOTED}|[^\r\n]+)"),
        rf"\g<name>{HIDDEN}",
    ),
    # https://user:password@host
    (re.compile(r"(?P<scheme>\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://)[^\s/@\"'<>]+@"), rf"\g<scheme>{HIDDEN}@"),
    # a name and its value: NAME=…, "name": "…", --token …, ?token=…, and a sentence's "password is …"
    (
        re.compile(rf"(?i)(?P<name>{_SECRET_WORD}[\"']?\s*(?:=>|:=|=|:)\s*)(?!\s*\[hidden\]){_VALUE}"),
        rf"\g<name>{HIDDEN}",
    ),
    (re.compile(rf"(?i)(?P<name>(?<!\w)--?{_SECRET_NAME}\s+)(?!-)(?!\[hidden\]){_VALUE}"), rf"\g<name>{HIDDEN}"),
    (
        re.compile(rf"(?i)(?P<name>\b(?:password|passphrase|token|wachtwoord)\s+(?:is|was|for \S+ is)\s+){_VALUE}"),
        rf"\g<name>{HIDDEN}",
    ),
    (re.compile(r"(?i)(?P<kind>\b(?:bearer|basic|token)\s+)[a-z0-9._~+/=-]{16,}"), rf"\g<kind>{HIDDEN}"),
    # what is known by its form: a JWT, keys of well-known services
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"), HIDDEN),
    (
        re.compile(
            r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_[A-Za-z0-9]{20,}|"
            r"sk-[\w-]{20,}|xox[abprs]-[\w-]{10,}|AKIA[A-Z0-9]{16}|pypi-[\w-]{20,})"
        ),
        HIDDEN,
    ),
    # so many hexadecimal digits, or letters and digits that no word and no path has: a token of Jupyter's, a hash
    (re.compile(r"(?<![\w/.-])[0-9a-fA-F]{32,}(?![\w-])"), HIDDEN),
    (
        re.compile(r"(?<![\w/.+-])(?=[\w+-]*\d)(?=[\w+-]*[a-z])(?=[\w+-]*[A-Z])[A-Za-z0-9_+-]{40,}={0,2}(?![\w/])"),
        HIDDEN,
    ),
)


def redact(text: str) -> str:
    """A text with ``[hidden]`` in the place of each secret.

    Removed are values of names such as ``JUPYTERHUB_API_TOKEN``, ``password`` and ``_xsrf`` (also in addresses and
    options), the headers Authorization and Cookie, user and password in an address, keys in PEM, JSON web tokens, keys
    of well-known services, and strings of letters and digits that are long enough to be one.
    """
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return hidden(text)


def redact_lines(lines: Iterable[str]) -> tuple[str, ...]:
    """Several lines as :func:`redact` has them together: a key may go over many."""
    told = "\n".join(lines)
    return tuple(redact(told).split("\n")) if told else ()
