"""The fit of combiners, on what members said of rows that they had not learnt from.

Holds: the type of such predictions, weights, a model over members, regimes and hidden states, and the one function that
fits what a configuration asks for. Combining lives in ``outcry.models.combiners``.
Must not import: cli, deployments; of training nothing but `training.weights`.
Start reading at: `training.ensembles.out_of_fold`, then `training.ensembles.fit`.

`OutOfFold` in ``out_of_fold``; `fit_combiner` in ``fit``; `combine_rows` in ``apply``
"""
