"""Selection of columns, fitted on the training rows of a fold and on nothing else.

Holds: filters, wrappers and embedded methods, the pipeline of them, and how stable it is over folds.
Must not import: cli, deployments; of training nothing but `training.dataset`.
Start reading at: `training.selection.pipeline`.

`select_columns` in ``pipeline``; `measure_stability` in ``stability``
"""
