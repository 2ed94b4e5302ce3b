"""The panel's own pure parts (TypeScript), run as they are written by the Node.js that is installed with us."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support import panel_catalogue as catalogue

SOURCES = Path(__file__).parents[2] / "extensions" / "src" / "datasets"
NODE = Path(sys.executable).parent / "node"
# Node.js takes types away by itself, but wants the names of files in full
RESOLVE = """
import { registerHooks } from 'node:module';
const full = name => (/^\\.\\.?\\/[\\w/]+$/.test(name) ? `${name}.ts` : name);
registerHooks({ resolve: (name, context, next) => next(full(name), context) });
const { matching, samples, themes, accesses, EVERYTHING } = await import(`${process.argv[1]}/filter.ts`);
const words = await import(`${process.argv[1]}/format.ts`);
const input = JSON.parse(process.argv[2]);
"""


def run(code: str, given: Any = None) -> Any:
    done = subprocess.run(
        [NODE, "--no-warnings", "--input-type=module", "-e", RESOLVE + code, "--", str(SOURCES), json.dumps(given)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def known() -> list[dict[str, Any]]:
    return [{**entry, "here": None} for entry in catalogue.entries()]


def test_what_can_be_used_comes_first_and_every_word_of_a_search_must_fit() -> None:
    code = """
    const names = filter => matching(input, { ...EVERYTHING, ...filter }).map(one => one.name);
    console.log(JSON.stringify([names({}), names({ text: 'FARM  energy' }), names({ text: 'farm nothing' }),
      names({ theme: 'ENER' }), names({ theme: 'ENER', access: 'public' }), names({ text: 'turbines' })]));
    """
    assert run(code, known()) == [
        ["crop-trials", "wind-farm", "patients", "grid-faults", "old-census"],
        ["wind-farm"],
        [],
        ["wind-farm", "grid-faults"],
        ["wind-farm"],
        ["wind-farm"],
    ]


def test_only_themes_and_access_rights_that_occur_can_be_chosen() -> None:
    assert run("console.log(JSON.stringify([themes(input), accesses(input)]))", known()[:2]) == [
        [["AGRI", "Agriculture, fisheries, forestry and food"], ["ENER", "Energy"], ["ENVI", "Environment"]],
        [["public", "Public"]],
    ]


def test_few_demo_datasets_are_cards_and_many_are_not() -> None:
    code = "console.log(JSON.stringify(samples(input).map(one => one.name)))"
    assert run(code, known()) == ["crop-trials", "wind-farm"]
    many = [{**catalogue.entry(f"demo-{n}", f"Demo {n}", keywords=["demo"]), "here": None} for n in range(7)]
    assert run(code, many) == []


def test_states_are_told_in_words() -> None:
    code = "console.log(JSON.stringify(input.map(one => words.stateName(words.stateOf(one)))))"
    entries = known()
    entries[0]["here"] = {"version": "1", "path": "/data/wind-farm/1"}
    entries.append({"name": "x", "state": "not-granted", "requested": True, "here": None})
    entries.append({"name": "y", "state": "news", "here": None})
    assert run(code, entries) == [
        "In this session",
        "Available",
        "Terms to accept",
        "No access yet",
        "Retired",
        "Access requested",
        "Not available",
    ]


def test_sizes_licences_and_links_are_for_people() -> None:
    code = """
    const { licence, link, formats, day } = words;
    const { size } = await import(`${process.argv[1]}/../common/format.ts`);
    console.log(JSON.stringify([
      [0, 999, 1000, 9_960_000, 1_234_567, 999_600, 48e9, 2e18].map(size),
      licence('https://creativecommons.org/licenses/by-sa/4.0/'),
      licence('https://creativecommons.org/publicdomain/zero/1.0/'),
      licence('http://publications.europa.eu/resource/authority/licence/CC_BY_4_0'),
      licence('https://example.org/terms'),
      ['https://x.org', 'javascript:alert(1)', 'data:text/html,x', '', null].map(link),
      formats({ csv: 3, '': 1, 'csv.gz': 12000 }), day('2027-06-30'), day(null)]));
    """
    assert run(code) == [
        ["0 B", "999 B", "1.0 kB", "10 MB", "1.2 MB", "1.0 MB", "48 GB", "2000 PB"],
        "CC BY-SA 4.0",
        "CC0 1.0",
        "CC BY 4.0",
        "https://example.org/terms",
        ["https://x.org", None, None, None, None],
        "12,000 csv.gz, 3 csv, 1 without a suffix",
        "30 June 2027",
        "",
    ]
