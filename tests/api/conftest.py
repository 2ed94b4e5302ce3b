"""Hypothesis, which draws what Schemathesis sends, leaves nothing behind."""

from __future__ import annotations

import hypothesis.configuration

from tests.conftest import sandbox_directory

hypothesis.configuration.set_hypothesis_home_dir(sandbox_directory() / "hypothesis")
