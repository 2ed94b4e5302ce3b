"""What of the peers' own material cannot apply to ``DaskCluster``, and why."""

from __future__ import annotations

from .verdict import Named

_COMMAND = "the job's command is ours: one process tree runs all workers of a job, and nothing secret is in it"
_KEY = "a cluster has a key of its own, made for it and removed with it; no other one is taken"
_THERE = "cluster.workers tells of the workers that are there: their jobs are kept in the cluster's daemon"
_OTHERS = "about a class for another batch system; DaskCluster has no part in it"
_BASE = "about what dask-jobqueue's base classes refuse; DaskCluster has no part in it"
_EMPTY = "dask-jobqueue itself gives this test no class any more"
_RUNNER = "about SLURMRunner and its like, which run inside a job that is there; DaskCluster has no part in it"

# Tests of dask-jobqueue's source distribution.
TESTS = (
    Named("test_htcondor.py", _OTHERS),
    Named("test_lsf.py", _OTHERS),
    Named("test_oar.py", _OTHERS),
    Named("test_pbs.py", _OTHERS),
    Named("test_sge.py", _OTHERS),
    Named("test_job.py::test_header_lines_skip", _OTHERS),
    Named("test_job.py::test_header_lines_dont_skip_extra_directives", _OTHERS),
    Named("test_job.py::test_deprecation_header_skip[PBSCluster]", _OTHERS),
    Named("test_job.py::test_deprecation_header_skip[SGECluster]", _OTHERS),
    Named("test_job.py::test_deprecation_header_skip[OARCluster]", _OTHERS),
    Named("test_job.py::test_nworkers_scale", _OTHERS),
    Named("test_jobqueue_core.py::test_config_interface", _OTHERS),
    Named("test_jobqueue_core.py::test_job_id_from_qsub", _OTHERS),
    Named("test_jobqueue_core.py::test_job_id_error_handling", _OTHERS),
    Named("test_jobqueue_core.py::test_job_id_from_qsub_legacy", _EMPTY),
    Named("test_jobqueue_core.py::test_job_id_error_handling_legacy", _EMPTY),
    Named("test_jobqueue_core.py::test_errors", _BASE),
    Named("test_jobqueue_core.py::test_job_without_config_name", _BASE),
    Named("test_jobqueue_core.py::test_cluster_without_job_cls", _BASE),
    Named("test_runner.py", _RUNNER),
    Named("test_slurm.py::test_slurm_runner", _RUNNER),
    Named(
        "test_slurm.py::test_different_interfaces_on_scheduler_and_workers",
        "needs the network interfaces eth0:scheduler and eth0:worker of dask-jobqueue's own containers",
    ),
    Named("test_job.py::test_cluster", _THERE, fails=r"assert (\d == \d|False)"),
    Named(
        "test_job.py::test_adapt_parameters",
        "the daemon follows the work, at its own times: a notebook cannot call Adaptive.adapt()",
        fails="'RemoteAdaptive' object has no attribute 'adapt'",
    ),
    Named(
        "test_jobqueue_core.py::test_command_template",
        "wants --preload for its workers: of their options those count that are documented, the others are refused",
        fails="--preload cannot be had here",
    ),
    Named(
        "test_jobqueue_core.py::test_dashboard_link",
        "the dashboard is behind the hub's login, not open at http://ADDRESS:PORT",
        fails="/fabric/dask/",
    ),
    Named(
        "test_jobqueue_core.py::test_cluster_has_cores_and_memory",
        "a worker needs no cores= and memory=: it is like the site's first profile",
        fails="DID NOT RAISE",
    ),
    Named("test_jobqueue_core.py::test_default_number_of_worker_processes", _COMMAND, fails="--nworkers 4"),
    Named(
        "test_jobqueue_core.py::test_cluster_error_scheduler_arguments_should_use_scheduler_options",
        "host= and dashboard_address= are taken, and mean the scheduler's",
        fails="DID NOT RAISE",
    ),
    Named("test_jobqueue_core.py::test_security", _KEY, fails="cannot be had: a cluster has a key of its own"),
    Named(
        "test_jobqueue_core.py::test_security_temporary", _KEY, fails="the cluster's key is in a directory of its own"
    ),
    Named("test_jobqueue_core.py::test_security_temporary_defaults", _KEY, fails="DID NOT WARN"),
    Named("test_slurm.py::test_job_script", _COMMAND, fails="assert '--memory-limit 6.52GiB' in"),
    Named(
        "test_slurm.py::test_basic",
        "scale(0) while the notebook holds a result: the last worker stays, for only it has that result, until the "
        "time limit of its job, which is about the test's own",
    ),
    Named(
        "test_slurm.py::test_worker_name_uses_cluster_name",
        "a cluster's name is that of a directory and of jobs, and no shell ever reads it",
        fails="is no name for a cluster",
    ),
)

_DASK_ML = "is about classes of dask-ml, which no image has"
_DATA = "needs data from outside, and"

# Notebooks of dask-examples, as of November 2025.
PEERS_EXAMPLES = (
    *(f"{name}.ipynb" for name in (
        "array", "bag", "dataframe", "delayed", "futures", "machine-learning", "resilience", "sql", "xarray",
    )),
    *(f"applications/{name}.ipynb" for name in (
        "async-await", "async-web-server", "embarrassingly-parallel", "evolving-workflows", "forecasting-with-prophet",
        "image-processing", "json-data-on-the-web", "prefect-etl", "stencils-with-numba",
    )),
    *(f"dataframes/{name}.ipynb" for name in (
        "01-data-access", "02-groupby", "03-from-pandas-to-dask", "04-reading-messy-data-into-dataframes",
    )),
    *(f"machine-learning/{name}.ipynb" for name in (
        "blockwise-ensemble", "glm", "hyperparam-opt", "incremental", "parallel-prediction", "scale-scikit-learn",
        "svd", "text-vectorization", "torch-prediction", "tpot", "training-on-large-datasets", "voting-classifier",
        "xgboost",
    )),
    *(f"surveys/{year}.ipynb" for year in (2019, 2020, 2021)),
)  # fmt: skip

# Those of them that no notebook of ours covers.
EXAMPLES = (
    Named("applications/forecasting-with-prophet.ipynb", f"{_DATA} prophet, which no image has"),
    Named("applications/image-processing.ipynb", "is about dask-image, which no image has"),
    Named("applications/prefect-etl.ipynb", f"{_DATA} prefect, which no image has"),
    Named("machine-learning/blockwise-ensemble.ipynb", _DASK_ML),
    Named("machine-learning/glm.ipynb", "is about dask-glm, which no image has"),
    Named("machine-learning/hyperparam-opt.ipynb", _DASK_ML),
    Named("machine-learning/incremental.ipynb", _DASK_ML),
    Named("machine-learning/text-vectorization.ipynb", f"{_DATA} {_DASK_ML}"),
    Named("machine-learning/torch-prediction.ipynb", f"{_DATA} torchvision, which no image has"),
    Named("machine-learning/tpot.ipynb", "is about TPOT, which no image has"),
    Named("machine-learning/training-on-large-datasets.ipynb", _DASK_ML),
    Named("machine-learning/xgboost.ipynb", "is about XGBoost, which no image has"),
    Named("sql.ipynb", "is about dask-sql, which no image has"),
    Named("surveys/2019.ipynb", "evaluates a survey, with pandas and no cluster"),
    Named("surveys/2020.ipynb", "evaluates a survey, with pandas and no cluster"),
    Named("surveys/2021.ipynb", "evaluates a survey, with pandas and no cluster"),
    Named("xarray.ipynb", "is about xarray, which no image has"),
)
