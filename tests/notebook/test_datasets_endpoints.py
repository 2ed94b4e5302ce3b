"""``fabric/datasets`` of the session's server: the hub's word and the node's, joined; changes reach both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fabric_lab.common import node
from fabric_lab.common.node import NodeAnswer, Opened
from fabric_lab.kernel import merge
from fabric_lab.server import loading

from tests.support import panel_catalogue as catalogue
from tests.support.answering_hub import TOKEN, AnsweringHub
from tests.support.answering_node import AnsweringNode
from tests.support.running_session import RunningSession

pytestmark = pytest.mark.image


def ask(session: RunningSession, path: str = "", method: str = "GET", body: Any = None) -> tuple[int, dict[str, Any]]:
    status, text = session.get(f"fabric/datasets{path}", method=method, body=body)
    assert TOKEN not in text
    return status, json.loads(text)


def here(told: dict[str, Any]) -> dict[str, str]:
    """Where each open dataset is."""
    return {entry["name"]: entry["here"]["path"] for entry in told["datasets"] if entry["here"]}


def test_a_dataset_is_added_and_dropped_while_the_session_runs(
    data_session: RunningSession, hub: AnsweringHub, node: AnsweringNode
) -> None:
    status, told = ask(data_session)
    assert (status, told["problem"], told["node_problem"], told["enforced"]) == (200, "", "", True)
    assert len(told["datasets"]) == 5
    assert here(told) == {}

    place = f"{node.data}/wind-farm/1"
    assert ask(data_session, "/wind-farm", "POST") == (200, {"here": {"version": "1", "path": place}, "problem": ""})
    assert here(ask(data_session)[1]) == {"wind-farm": place}
    assert ask(data_session, "/wind-farm", "DELETE") == (200, {"here": None, "problem": ""})
    assert here(ask(data_session)[1]) == {}

    assert [(asked["verb"], asked["datasets"]) for asked in node.asked if asked["verb"] != "list"] == [
        ("open", ["wind-farm"]),
        ("close", ["wind-farm"]),
    ]
    assert [told[:2] for told in hub.datasets_told] == [("POST", "wind-farm"), ("DELETE", "wind-farm")]


def test_what_the_node_refuses_is_not_added_and_says_why(
    data_session: RunningSession, hub: AnsweringHub, node: AnsweringNode
) -> None:
    status, told = ask(data_session, "/grid-faults", "POST")
    assert status == 403
    assert told == {
        "message": "grid-faults was not added. Project twin has no grant for grid-faults.",
        "reason": "not-granted",
    }
    assert hub.datasets_told == []


def test_without_the_hub_datasets_still_open_and_close(
    data_session: RunningSession, hub: AnsweringHub, node: AnsweringNode
) -> None:
    hub.silent = True
    status, told = ask(data_session, "/wind-farm", "POST")
    assert status == 200
    assert told["problem"] == "It is open, but the hub did not note it for this session: The hub is restarting."
    status, told = ask(data_session)
    assert (status, told["problem"]) == (200, "The hub is restarting.")
    assert here(told) == {"wind-farm": f"{node.data}/wind-farm/1"}
    assert ask(data_session, "/wind-farm", "DELETE")[0] == 200
    assert node.opened == set()


def test_without_the_nodes_service_the_catalogue_is_still_told(
    data_session: RunningSession, hub: AnsweringHub, node: AnsweringNode
) -> None:
    node.says = b""
    status, told = ask(data_session)
    assert status == 200
    assert told["node_problem"] == "The node's dataset service gave an answer that cannot be read. Its log says more."
    assert len(told["datasets"]) == 5
    for method in ("POST", "DELETE"):
        assert ask(data_session, "/wind-farm", method) == (
            503,
            {"message": told["node_problem"], "reason": "node"},
        )
    assert hub.datasets_told == []


def test_access_is_asked_for_at_the_hub(data_session: RunningSession, hub: AnsweringHub) -> None:
    why = "For the study of faults\nin wet weather"
    assert ask(data_session, "/grid-faults/request", "POST", {"why": why})[0] == 200
    assert ask(data_session, "/grid-faults/request", "POST", {"why": " "})[0] == 200
    assert hub.datasets_told == [
        ("POST", "grid-faults/request", {"why": "For the study of faults in wet weather"}),
        ("POST", "grid-faults/request", {"why": None}),
    ]
    [entry] = [entry for entry in ask(data_session)[1]["datasets"] if entry["name"] == "grid-faults"]
    assert entry["requested"] is True
    hub.silent = True
    status, told = ask(data_session, "/grid-faults/request", "POST", {})
    assert (status, told["message"]) == (503, "The hub is restarting.")


def test_files_and_loading_code_are_of_the_open_version_only(
    data_session: RunningSession, node: AnsweringNode, tmp_path: Path
) -> None:
    assert ask(data_session, "/wind-farm/files")[0] == 409
    ask(data_session, "/wind-farm", "POST")
    secret = tmp_path / "outside.csv"
    secret.write_text("not,ours\n")
    (node.data / "wind-farm" / "1" / "link.csv").symlink_to(secret)
    (node.data / "wind-farm" / "1" / "linked").symlink_to(tmp_path, target_is_directory=True)
    status, told = ask(data_session, "/wind-farm/files")
    assert status == 200
    assert [file["name"] for file in told["files"]] == ["output-2.csv", "output.csv", "readme.md", "sites.geojson"]
    assert told["more"] is False
    assert [snippet["label"] for snippet in told["snippets"]] == [
        "CSV with pandas",
        "GeoJSON with pandas",
        "List of files",
    ]
    assert [file["table"] for file in told["files"]] == [True, True, False, False]


def test_the_first_rows_of_a_file_are_read_below_the_open_version_only(
    data_session: RunningSession, node: AnsweringNode, tmp_path: Path
) -> None:
    assert ask(data_session, "/wind-farm/table?file=output.csv")[0] == 409
    ask(data_session, "/wind-farm", "POST")
    place = node.data / "wind-farm" / "1"
    (place / "output.csv").write_text("hour,megawatt\n0,1.5\n")
    status, told = ask(data_session, "/wind-farm/table?file=output.csv")
    assert (status, told) == (
        200,
        {
            "file": "output.csv",
            "columns": [{"name": "hour", "kind": "integer"}, {"name": "megawatt", "kind": "number"}],
            "rows": [["0", "1.5"]],
            "more": False,
            "total": None,
            "more_columns": 0,
        },
    )
    secret = tmp_path / "outside.csv"
    secret.write_text("not,ours\n")
    (place / "link.csv").symlink_to(secret)
    (place / "broken.parquet").write_bytes(b"PAR1nonsense")
    for file, reason in (
        ("link.csv", "file"), ("..%2F..%2Foutside.csv", "file"), (str(secret), "file"), ("gone.csv", "file"),
        ("readme.md", "kind"), ("", "kind"), ("broken.parquet", "unreadable"),
    ):  # fmt: skip
        status, told = ask(data_session, f"/wind-farm/table?file={file}")
        assert (status, told["reason"]) == (409, reason), file


@pytest.mark.parametrize("name", ["..", "Wind-Farm", "a" * 41, "wind-farm%0aopen", "wind-farm/../patients", "%2e%2e"])
def test_what_is_no_name_of_a_dataset_reaches_nobody(
    data_session: RunningSession, hub: AnsweringHub, node: AnsweringNode, name: str
) -> None:
    for path, method in ((f"/{name}", "POST"), (f"/{name}", "DELETE"), (f"/{name}/files", "GET")):
        assert data_session.get(f"fabric/datasets{path}", method=method)[0] == 404
    assert (node.asked, hub.datasets_told) == ([], [])


def test_a_browser_without_the_xsrf_cookie_changes_nothing(data_session: RunningSession, node: AnsweringNode) -> None:
    for path, method in (("/wind-farm", "POST"), ("/wind-farm", "DELETE"), ("/wind-farm/request", "POST")):
        status, _ = data_session.get(f"fabric/datasets{path}", method=method, token=None)
        assert status in (401, 403)
    assert node.asked == []


def test_only_a_site_with_datasets_has_the_panel(session: RunningSession) -> None:
    assert '"fabricDatasets": false' in session.get("lab")[1]


def test_a_site_with_datasets_has_the_panel(data_session: RunningSession) -> None:
    assert '"fabricDatasets": true' in data_session.get("lab")[1]


def test_the_listing_of_a_huge_dataset_is_short_and_stays_below_it(tmp_path: Path) -> None:
    for number in range(loading.MOST_FILES + 50):
        (tmp_path / f"{number:04}.csv").write_text("a\n")
    (tmp_path / "aa").mkdir()
    found = loading.below(str(tmp_path))
    assert len(found.files) == loading.MOST_FILES
    assert found.more
    with pytest.raises(OSError, match="No such file"):
        loading.below(str(tmp_path / "none"))


def test_either_side_may_be_missing_and_links_are_never_scripts() -> None:
    environment = {"JUPYTERHUB_BASE_URL": "/jupyter/", "JUPYTERHUB_USER": "ann", "FABRIC_PROJECT": "twin"}
    nothing = merge.combine(None, "The hub is away.", None, "The node is away.", environment)
    assert nothing["datasets"] == []
    assert (nothing["enforced"], nothing["project"]) == (None, "twin")
    for told in ("", "javascript:alert(1)", "//elsewhere.example/hub"):
        assert merge.datasets_page(told, environment) == "/jupyter/hub/datasets"
    assert merge.datasets_page("/hub/x", {"JUPYTERHUB_HOST": "https://hub.example"}) == "https://hub.example/hub/x"
    opened = NodeAnswer((Opened("wind-farm", None, "/data/wind-farm"),), (), False)
    both = merge.combine(catalogue.told(), "", opened, "", environment)
    assert both["enforced"] is False
    assert both["datasets"][0]["here"] == {"version": None, "path": "/data/wind-farm/latest"}


def test_where_nothing_is_enforced_datasets_are_directories(tmp_path: Path) -> None:
    catalogue.write_files(tmp_path)
    (tmp_path / "wind-farm" / "latest").symlink_to("1")
    (tmp_path / "grid-faults" / "latest").mkdir(parents=True)
    (tmp_path / "Not a name").mkdir()
    environment = {"FABRIC_DATA_DIR": str(tmp_path)}
    listed = node.ask(environment, "list")
    assert [(one.dataset, one.files) for one in listed.opened] == [
        ("grid-faults", f"{tmp_path}/grid-faults/latest"),
        ("wind-farm", f"{tmp_path}/wind-farm/1"),
    ]
    assert listed.enforced is False
    asked = node.ask(environment, "open", ["wind-farm", "crop-trials"])
    assert ([one.dataset for one in asked.opened], [one.dataset for one in asked.refused]) == (
        ["wind-farm"],
        ["crop-trials"],
    )
    with pytest.raises(node.NodeError, match="plain directories here"):
        node.ask(environment, "close", ["wind-farm"])
    # who may use what stays the hub's word
    told = merge.combine(catalogue.told(), "", listed, "", environment)
    assert [entry["name"] for entry in told["datasets"] if entry["here"]] == ["wind-farm"]
