"""A session's spec becomes exactly these arguments and this script."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.model import JobSpec
from fabric_hub.slurm import script
from fabric_hub.slurm.accounts import Account

ANNA = Account("anna", 1234, 1234, (1234,), "/home/anna", "/bin/bash")
DIRECTORY = "/home/anna/.fabric-hub/abcdefgh2345"
PYTHON = Path("/images/base/current/bin/python")


def argv(spec: JobSpec, home: str = "/home/anna", directory: str = DIRECTORY) -> list[str]:
    return script.sbatch_argv(
        Path("/usr/bin/sbatch"), spec, name="fabric-main-abcdefgh2345", home=home, directory=directory, mark="mark=1"
    )


def test_the_arguments_of_a_full_spec() -> None:
    spec = JobSpec(
        partition="gpu", account="lab", qos="high", reservation="course", cpus=4, memory_mb=8192,
        gres=("gpu:h200:1",), minutes=90, exclusive=True, constraint="a&b", options=("--comment 'a b'",),
    )  # fmt: skip
    assert argv(spec) == [
        "/usr/bin/sbatch", "--partition=gpu", "--account=lab", "--qos=high", "--reservation=course", "--nodes=1",
        "--ntasks=1", "--cpus-per-task=4", "--mem=8192M", "--gres=gpu:h200:1", "--time=90", "--constraint=a&b",
        "--signal=B:USR1@120", "--exclusive", "--propagate=NONE", "--comment", "a b", "--comment=a b; mark=1",
        "--parsable", "--no-requeue",
        "--export=ALL", "--open-mode=truncate",
        "--output=/home/anna/.fabric-hub/abcdefgh2345/session.log", "--chdir=/home/anna",
        "--job-name=fabric-main-abcdefgh2345",
    ]  # fmt: skip


def test_the_arguments_of_an_empty_spec() -> None:
    assert argv(JobSpec()) == [
        "/usr/bin/sbatch", "--nodes=1", "--ntasks=1", "--cpus-per-task=1", "--signal=B:USR1@120", "--propagate=NONE",
        "--comment=mark=1", "--parsable", "--no-requeue", "--export=ALL", "--open-mode=truncate",
        "--output=/home/anna/.fabric-hub/abcdefgh2345/session.log",
        "--chdir=/home/anna", "--job-name=fabric-main-abcdefgh2345",
    ]  # fmt: skip


def test_a_percent_sign_in_a_path_is_not_a_pattern() -> None:
    assert "--output=/data/100%%j/s/session.log" in argv(JobSpec(), directory="/data/100%j/s")


@pytest.mark.parametrize("path", ["/a\\b", "relative", "/a/../b", "/a\nb"])
def test_a_path_that_sbatch_could_misread_is_refused(path: str) -> None:
    with pytest.raises(FabricError):
        argv(JobSpec(), directory=path)


@pytest.mark.parametrize("line", ["script.sh", "", "--comment 'open", "-- script.sh"])
def test_a_site_option_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(FabricError, match="req_options"):
        script.site_options([line])


def test_the_plain_script() -> None:
    text = script.script(JobSpec(), session="abcdefgh2345", directory=DIRECTORY, python=PYTHON)
    assert text == (
        "#!/bin/bash\n"
        "# Session abcdefgh2345 of Fabric Hub.\n"
        "trap '' USR1\n"
        "exec /images/base/current/bin/python -I -m fabric_lab.launch "
        "--session-dir /home/anna/.fabric-hub/abcdefgh2345\n"
    )


def test_the_script_with_everything() -> None:
    spec = JobSpec(prologue="module load cuda\n", epilogue="echo bye\n")
    text = script.script(
        spec,
        session="abcdefgh2345",
        directory="/d $(id)/s",
        python=PYTHON,
        home="/h o'me",
        prologue="source /etc/profile",
    )
    assert text == (
        "#!/bin/bash\n"
        "# Session abcdefgh2345 of Fabric Hub.\n"
        "trap '' USR1\n"
        "export HOME='/h o'\"'\"'me'\n"
        "source /etc/profile\n"
        "module load cuda\n"
        "trap 'fabric_told=1; kill -USR1 $fabric_notebook 2>/dev/null' USR1\n"
        "(trap '' USR1; exec /images/base/current/bin/python -I -m fabric_lab.launch --session-dir '/d $(id)/s') &\n"
        "fabric_notebook=$!\n"
        'while fabric_told=; wait $fabric_notebook; fabric_status=$?; [ -n "$fabric_told" ]; do :; done\n'
        "trap '' USR1\n"
        "echo bye\n"
        "exit $fabric_status\n"
    )


@pytest.mark.parametrize("epilogue", ["", "echo after $fabric_status\n"])
def test_the_signal_before_the_end_reaches_the_notebook_and_ends_nothing(tmp_path: Path, epilogue: str) -> None:
    notebook = tmp_path / "python"
    notebook.write_text(
        f"#!{sys.executable} -I\nimport os, signal\n"
        "signal.signal(signal.SIGUSR1, lambda *_: (os.write(1, b'saved\\n'), os._exit(7)))\n"
        "os.write(1, b'listening\\n')\nwhile True: signal.pause()\n"
    )
    notebook.chmod(0o755)
    text = script.script(JobSpec(epilogue=epilogue), session="s", directory="/d", python=notebook)
    job = subprocess.Popen(["bash", "-s"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert job.stdin
    assert job.stdout
    job.stdin.write(text)
    job.stdin.close()
    heard = [job.stdout.readline()]
    job.send_signal(signal.SIGUSR1)  # as Slurm does: to the batch shell alone
    heard += job.stdout.readlines()
    job.stdout.close()
    assert heard == ["listening\n", "saved\n"] + (["after 7\n"] if epilogue else [])
    assert job.wait() == 7


def test_the_environment_of_a_client_is_these_names_only() -> None:
    assert script.environment(ANNA, Path("/etc/slurm/slurm.conf")) == {
        "HOME": "/home/anna", "LANG": "C.UTF-8", "LOGNAME": "anna", "PATH": "/usr/local/bin:/usr/bin:/bin",
        "SHELL": "/bin/bash", "SLURM_CONF": "/etc/slurm/slurm.conf", "USER": "anna",
    }  # fmt: skip


def test_the_sites_own_comment_stays_before_the_mark() -> None:
    def comment(*options: str) -> str:
        # of two comments sbatch takes the last
        return [word for word in argv(JobSpec(options=options)) if word.startswith("--comment=")][-1]

    assert comment() == "--comment=mark=1"
    assert comment("--comment=first", "--comment 'the last' --hold") == "--comment=the last; mark=1"
