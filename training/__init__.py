"""Training: datasets, the fit of the ensemble, the preparation of a run.

Holds: everything that learns. Predicting lives in ``outcry.models``.
Must not import: cli, deployments.
Start reading at: `training.prepare`, then `training.fit`.

`fit_ensemble` in ``fit``; `prepare_run` in ``prepare``
"""
