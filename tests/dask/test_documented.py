"""The examples of dask-jobqueue's documentation (https://jobqueue.dask.org), with our class in place of theirs."""

from __future__ import annotations

import pytest

from tests.support.dask_notebook import CellError, Notebook

pytestmark = [pytest.mark.hub, pytest.mark.slurm, pytest.mark.image]

START = "from fabric_lab import DaskCluster as SLURMCluster\nfrom dask.distributed import Client\n"


def test_example_scale_by_jobs_and_use_it(notebook: Notebook) -> None:
    notebook.run(
        START
        + "cluster = SLURMCluster(cores=2, processes=2, memory='1GB', walltime='01:00:00', queue='cpu')\n"
        + "cluster.scale(jobs=2)\n"
        + "client = Client(cluster)\nclient.wait_for_workers(4, timeout=60)"
    )
    notebook.run("import dask.array as da\nx = da.random.random((2000, 2000), chunks=(500, 500))")
    assert abs(notebook.value("float((x + x.T).mean().compute())") - 1.0) < 0.01
    status = notebook.value("cluster.status_of_workers()")
    assert len({worker["job"] for worker in status["workers"]}) == 2


def test_example_scale_by_cores_and_memory(notebook: Notebook) -> None:
    notebook.run(START + "cluster = SLURMCluster(cores=1, memory='500MB', queue='cpu')")
    notebook.run("cluster.scale(cores=3)")
    assert notebook.value("len(cluster.status_of_workers()['workers'])") == 3
    notebook.run("cluster.scale(memory='1GB')")
    assert notebook.value("len(cluster.status_of_workers()['workers'])") == 2
    notebook.run("cluster.scale(1)")
    assert notebook.value("len(cluster.status_of_workers()['workers'])") == 1


def test_example_job_script(notebook: Notebook) -> None:
    script = notebook.value(
        "__import__('fabric_lab').DaskCluster(cores=24, processes=6, memory='120GB', queue='cpu', walltime='02:00:00',"
        " job_extra_directives=['--exclusive'], job_script_prologue=['module load gcc'], name='script').job_script()"
    )
    assert "#SBATCH -p cpu" in script
    assert "#SBATCH -t 02:00:00" in script
    assert "#SBATCH --exclusive" in script
    assert "\nmodule load gcc\n" in script
    assert script.rstrip().endswith("-m fabric_lab.dask.worker_task FABRIC_ORDER")


def test_example_adapt_by_jobs(notebook: Notebook) -> None:
    notebook.run(START + "cluster = SLURMCluster(cores=1, memory='500MB', queue='cpu')\nclient = Client(cluster)")
    notebook.run("cluster.adapt(minimum_jobs=1, maximum_jobs=3)")
    notebook.until("len(cluster.scheduler_info['workers']) == 1", "the least is there")
    assert notebook.value("cluster.status_of_workers()['adaptive']") == {"pool": "workers", "minimum": 1, "maximum": 3}
    notebook.run("cluster.adapt(minimum=0, maximum=2)")
    assert notebook.value("client.submit(lambda: 7).result()") == 7


def test_example_context_managers_and_logs(notebook: Notebook) -> None:
    notebook.run(
        START + "with SLURMCluster(1, cores=1, memory='500MB', queue='cpu') as cluster, Client(cluster) as client:\n"
        "    answer = client.submit(sum, [1, 2, 3]).result()\n"
        "    logs = cluster.get_logs()\n"
    )
    assert notebook.value("answer") == 6
    names = notebook.value("list(logs)")
    assert names[:2] == ["Cluster", "Scheduler"]
    assert names[2].startswith("tls://")
    assert notebook.value("__import__('fabric_lab').clusters()") == []


def test_example_asynchronous(notebook: Notebook) -> None:
    notebook.run(
        START + "async with SLURMCluster(cores=1, memory='500MB', queue='cpu', asynchronous=True) as cluster:\n"
        "    cluster.scale(2)\n"
        "    async with Client(cluster, asynchronous=True) as client:\n"
        "        await client.wait_for_workers(2)\n"
        "        answer = await client.submit(lambda x: x + 1, 10)\n"
    )
    assert notebook.value("answer") == 11
    assert notebook.value("__import__('fabric_lab').clusters()") == []


def test_example_options_of_workers_network_logs_and_python(notebook: Notebook) -> None:
    notebook.run(
        START + "import pathlib, sys\nlogs = pathlib.Path.home() / 'dask-logs'\n"
        "cluster = SLURMCluster(1, cores=1, memory='500MB', queue='cpu', interface='lo', log_directory=str(logs),\n"
        "    python=sys.executable, worker_extra_args=['--lifetime', '55 minutes', '--resources', 'LICENCE=2'])\n"
        "client = Client(cluster)\nclient.wait_for_workers(1, timeout=60)\n"
        "told = client.run(lambda dask_worker: (dask_worker.lifetime, dask_worker.address))"
    )
    ((lifetime, address),) = notebook.value("[list(one) for one in told.values()]")
    assert lifetime == 3300
    assert address.startswith("tls://127.0.0.1:")
    assert notebook.value("[cluster.scheduler.ip, cluster.scheduler_spec['options']['interface']]") == [
        "127.0.0.1",
        "lo",
    ]
    assert notebook.value("client.submit(sum, [1, 2], resources={'LICENCE': 2}).result()") == 3
    notebook.until(
        "[path.suffix for path in logs.iterdir()].count('.out') == 1", "the job's output is where it was said"
    )


def test_the_same_words_count_for_workers_like_a_profile(notebook: Notebook) -> None:
    notebook.run(
        START + "cluster = SLURMCluster(1, profile='gpu-1', host='127.0.0.1', local_directory='/tmp',\n"
        "    worker_extra_args=['--lifetime', '50 minutes', '--resources', 'LICENCE=2'])\n"
        "client = Client(cluster)\nclient.wait_for_workers(1, timeout=60)\n"
        "told = client.run(lambda dask_worker: (dask_worker.lifetime, dask_worker.state.total_resources))"
    )
    assert notebook.value("list(told.values())") == [[3000, {"LICENCE": 2, "GPU": 1}]]
    assert notebook.value("cluster.scheduler_address").startswith("tls://127.0.0.1:")


def test_example_the_persons_own_configuration_counts(notebook: Notebook) -> None:
    notebook.run(
        START
        + "import dask\nwith dask.config.set({'jobqueue.slurm.worker-extra-args': ['--lifetime', '50 minutes']}):\n"
        "    cluster = SLURMCluster(1, cores=1, memory='500MB', queue='cpu')\n"
        "client = Client(cluster)\nclient.wait_for_workers(1, timeout=60)"
    )
    assert notebook.value("list(client.run(lambda dask_worker: dask_worker.lifetime).values())") == [3000]
    notebook.run(
        "with dask.config.set({'jobqueue.mine': {'cores': 1, 'memory': '500MB', 'name': 'own'}}):\n"
        "    header = SLURMCluster(config_name='mine').job_header"
    )
    assert "#SBATCH -J own" in notebook.value("header")
    assert "cores :" in notebook.value("SLURMCluster.__doc__"), "help names the words that it takes"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("nanny=False", "nanny=False cannot be had: workers always have one"),
        ("silence_logs='error'", "silence_logs= cannot be had: its scheduler is no part of the notebook"),
        ("scheduler_options={'protocol': 'tcp'}", "protocol='tcp' cannot be had: a cluster speaks TLS"),
        ("scheduler_options={'security': None}", "security=None cannot be had: a cluster has a key of its own"),
        ("wrong_parameter=1", "unexpected keyword argument 'wrong_parameter': neither DaskCluster nor a job"),
        ("worker_extra_args=['--preload', 'nowhere']", "--preload cannot be had here; these can: --lifetime"),
        ("protocol='tcp'", "protocol='tcp' cannot be had: a cluster speaks TLS"),
        ("worker_command='dask_cuda.cli'", "a job runs all of its workers"),
        ("worker_extra_args=['--nworkers', '2']", "--nworkers cannot be had here; these can: --lifetime"),
        ("worker_extra_args=['--no-such']", "--no-such cannot be had here"),
    ],
)
def test_what_would_mean_nothing_here_is_refused_by_name(notebook: Notebook, words: str, why: str) -> None:
    for kind in ("cores=1, memory='500MB', queue='cpu'", "profile='cpu'"):
        with pytest.raises(CellError, match=why):
            notebook.run(START + f"SLURMCluster({kind}, {words})")


def test_words_that_make_a_worker_go_with_cores(notebook: Notebook) -> None:
    with pytest.raises(CellError, match=r"memory= goes with cores=\. Without it a worker is like a profile"):
        notebook.run(START + "SLURMCluster(memory='500MB')")
