"""A session's spec becomes exactly these arguments and this script."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fabric_hub.errors import FabricError
from fabric_hub.gateway.jobs import script
from fabric_hub.messages.text import Text
from fabric_hub.slurm.model import JobSpec
from fabric_hub.unix.accounts import Account

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
        "/usr/bin/sbatch", "--partition=gpu", "--qos=high", "--reservation=course", "--nodes=1",
        "--ntasks=1", "--cpus-per-task=4", "--mem=8192M", "--gres=gpu:h200:1", "--time=90", "--constraint=a&b",
        "--signal=B:USR1@120", "--exclusive", "--propagate=NONE", "--comment", "a b", "--comment=a b; mark=1",
        "--account=lab", "--parsable", "--no-requeue",
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


@pytest.mark.parametrize(
    ("line", "code", "why"),
    [
        ("script.sh", "gateway-no-option", "it does not begin with an option"),
        ("", "gateway-no-option", "it does not begin with an option"),
        ("-- script.sh", "gateway-no-option", "it does not begin with an option"),
        ("--comment 'open", "gateway-option-unreadable", "no closing quotation"),
    ],
)
def test_a_site_option_that_is_none_is_refused(line: str, code: str, why: str) -> None:
    with pytest.raises(FabricError, match="req_options") as refused:
        script.site_options([line])
    assert isinstance(refused.value.said, Text)
    assert refused.value.said.code == code
    assert refused.value.message == (f"The sbatch option {line!r} of the hub's configuration cannot be used: {why}.")


def test_the_plain_script() -> None:
    text = script.script(JobSpec(), session="abcdefgh2345", directory=DIRECTORY, python=PYTHON)
    assert text == (
        "#!/bin/bash\n"
        "# Session abcdefgh2345 of Fabric Hub.\n"
        "umask 0022\n"
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
        "umask 0022\n"
        "trap '' USR1\n"
        "export HOME='/h o'\"'\"'me'\n"
        "[ -r /etc/profile ] && . /etc/profile\n"
        "fabric_failed() {\n"
        "  echo \"fabric-hub: $1 failed with status $2, at: ${3%%$'\\n'*}\" >&2\n"
        '  [ -z "$4" ] || exit "$4"\n'
        "}\n"
        "trap 'fabric_status=$?; [ ${#BASH_SOURCE[@]} -gt 1 ] || "
        'fabric_failed gateway.prologue $fabric_status "$BASH_COMMAND" 78\' ERR\n'
        "source /etc/profile\n"
        "trap - ERR\n"
        "trap 'fabric_status=$?; [ ${#BASH_SOURCE[@]} -gt 1 ] || "
        'fabric_failed req_prologue $fabric_status "$BASH_COMMAND"\' ERR\n'
        "module load cuda\n"
        "trap - ERR\n"
        "unset -f fabric_failed\n"
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
        "signal.signal(signal.SIGUSR1, lambda *_: None)\n"
        # kept back until it is waited for: signal.pause() would sleep on if it came just before
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})\nos.write(1, b'listening\\n')\n"
        "signal.sigwait({signal.SIGUSR1})\nos.write(1, b'saved\\n')\nos._exit(7)\n"
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


def run_with_prologue(tmp_path: Path, prologue: str, of_hub: str = "") -> subprocess.CompletedProcess[str]:
    """A job's script as Slurm runs it, whose notebook says that it is there."""
    notebook, job = tmp_path / "python", tmp_path / "slurm_script"
    notebook.write_text("#!/bin/bash\necho notebook with ${LOADED:-nothing}\n")
    notebook.chmod(0o755)
    spec = JobSpec(prologue=of_hub)
    job.write_text(script.script(spec, session="s", directory="/d", python=notebook, prologue=prologue))
    environment = script.environment(ANNA, None)
    return subprocess.run(["bash", job], env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("prologue", "status", "command"),
    [
        ("modul load cuda\necho never", 127, "modul load cuda"),
        (". /no/such/setup.sh", 1, ". /no/such/setup.sh"),
        ("if true; then\n  false\nfi", 1, "false"),
    ],
)
def test_a_prologue_that_fails_ends_the_job_and_says_where(
    tmp_path: Path, prologue: str, status: int, command: str
) -> None:
    done = run_with_prologue(tmp_path, prologue)
    assert (done.returncode, done.stdout) == (script.PROLOGUE_FAILED, "")
    assert f"{script.PROLOGUE_WORDS} with status {status}, at: {command}\n" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives /etc/profile other contents for one process")
def test_a_prologue_has_what_a_login_shell_of_the_node_has(tmp_path: Path) -> None:
    (tmp_path / "profile").write_text('module() { [ "$*" = "load cuda" ] && export LOADED=cuda; }\n')
    run_with_prologue(tmp_path, "module load cuda")
    own = f"mount --bind {tmp_path}/profile /etc/profile && exec bash {tmp_path}/slurm_script"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", own], env=script.environment(ANNA, None), capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "notebook with cuda\n"), done.stderr


def test_what_a_prologue_lets_fail_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "setup.sh").write_text("false\ngrep -q nobody-has-this-name /etc/passwd\nexport LOADED=cuda\n")
    prologue = f". {tmp_path}/setup.sh\nfalse || true\n[ -d /none ] && echo no\nload() {{ false; true; }}\nload"
    done = run_with_prologue(tmp_path, prologue)
    assert (done.returncode, done.stdout) == (0, "notebook with cuda\n"), done.stderr


def test_a_req_prologue_that_fails_goes_on_as_with_batchspawner_and_says_so_in_the_log(tmp_path: Path) -> None:
    done = run_with_prologue(tmp_path, "", "modul load cuda\nexport LOADED=little")
    assert (done.returncode, done.stdout) == (0, "notebook with little\n")
    assert "fabric-hub: req_prologue failed with status 127, at: modul load cuda\n" in done.stderr


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
