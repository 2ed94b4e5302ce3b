"""A site whose node gpu1 is another host."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import Any

from fabric_dev import cluster
from fabric_dev.processes import start

from .broken_site import BrokenSite
from .other_host import OtherHost
from .waiting import until


class FarSite(BrokenSite):
    """Slurm's controller and the hub are reached at our end of the wire; the other GPU node takes no jobs."""

    def _set_login(self, site: dict[str, Any]) -> None:
        """The demo's passwords, as a site's own login: the hub itself lets them be on loopback only."""
        own = self.run.site.with_name("login.py")
        own.write_text(
            'c.JupyterHub.authenticator_class = "fabric_dev.login.DemoAuthenticator"\n'
            f"c.DemoAuthenticator.demo_file = {site['login'].pop('demo_file')!r}\n"
            # what the tests make people and tokens with, as a run with the demo's login has it
            f"token = open({str(Path(site['hub']['state_dir']) / self._layout.token.name)!r}).read().strip()\n"
            'c.JupyterHub.services.append({"name": "embedded", "api_token": token})\n'
            'scopes = ["admin:users", "tokens", "admin:servers", "read:hub", "shutdown"]\n'
            'c.JupyterHub.load_roles.append({"name": "embedded", "services": ["embedded"], "scopes": scopes})\n'
        )
        own.chmod(0o644)
        site["login"]["kind"] = "site"
        site["hub"]["extra_config"] = str(own)

    def move_gpu1(self, host: OtherHost) -> None:
        """Let slurmctld listen where the other host can reach it, and slurmd of gpu1 run there."""
        text = re.sub(r"^CommunicationParameters=.*\n", "", self.run.slurm_conf.read_text(), flags=re.MULTILINE)
        text = text.replace("(127.0.0.1)", f"({host.ours})")
        text = re.sub(r"^(NodeName=gpu1 .*NodeAddr=)127\.0\.0\.1", rf"\g<1>{host.address}", text, flags=re.MULTILINE)
        self.run.put_slurm_conf(text)
        environment = cluster.slurm_environment(self._layout)
        old = [self.run.pid(name) for name in ("slurmctld", "slurmd-gpu1")]
        for pid in old:
            os.kill(pid, signal.SIGKILL)  # no job has run yet: nothing to save
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in old), "the old daemons are gone", 60)
        for name, argv in (
            ("slurmctld", ["/usr/sbin/slurmctld", "-D"]),
            ("slurmd-gpu1", host.inside("/usr/sbin/slurmd", "-D", "-N", "gpu1")),
        ):
            log = self._layout.log / f"{name}.log"
            start(argv, log=log, environment=environment, cwd=self._layout.spool)
        until(self._gpu1_is_there, "gpu1 has registered", 90)
        self.run.slurm("scontrol", "update", "NodeName=gpu2", "State=DRAIN", "Reason=only gpu1")

    def _gpu1_is_there(self) -> bool:
        code, said = cluster.ask(["sinfo", "-h", "-N", "-n", "gpu1", "-o", "%T"], self.run.environment)
        return code == 0 and said.split()[:1] == ["idle"]
