"""From a user's options to one job, and what it would cost. Pure.

The path of every start: options (:mod:`.options`: one schema for form, URL and REST) → a choice that the user may make
(:mod:`.choice`) → one job spec (:mod:`.job_spec`), in which the site's ``req_*`` settings are
(:mod:`.batchspawner_compat`). It is made once; the fit on nodes, Slurm's limits, the session's record and the
submission take that same one. :mod:`.offer` tells beforehand what may start, by the same path.

Beside it: workers of Dask clusters, which a session submits itself (:mod:`.dask_clusters`, :mod:`.quote`), and what
the pages tell of datasets (:mod:`.dataset_offer`, :mod:`.dataset_page`).
"""
