"""A job as it would be submitted, in Slurm's terms. Pure."""

from __future__ import annotations

from fabric_hub.slurm.model import JobSpec
from fabric_hub.types import Frozen, SlurmKey


class JobRequest(Frozen):
    """A job as it would be submitted. ``user`` is a Unix account, ``tres`` what it asks for, ``minutes`` its time."""

    user: str
    account: SlurmKey
    partition: str = ""
    qos: SlurmKey = ""
    tres: dict[str, int]
    minutes: int

    @classmethod
    def of(cls, spec: JobSpec, user: str) -> JobRequest:
        """What Slurm will be asked for with this specification."""
        tres = {"cpu": spec.cpus, "node": 1}
        if spec.memory_mb:
            tres["mem"] = spec.memory_mb
        for gres in spec.gres:
            name, *kind, number = gres.split(":")
            tres[f"gres/{name}"] = tres.get(f"gres/{name}", 0) + int(number)
            if kind:
                tres[f"gres/{name}:{kind[0]}"] = int(number)
        return cls(
            user=user,
            account=spec.account or "",
            partition=spec.partition or "",
            qos=spec.qos or "",
            tres=tres,
            minutes=spec.minutes or 1,
        )
