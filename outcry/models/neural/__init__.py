"""Networks over the rows of the last bars: what all neural families share.

Holds: parameters, scaler, batches, training loop, storage, the fitted model; `layers` are building blocks, `networks`
one module a family.
Must not import, in `params`, `family` and here: torch, which a process that serves trees never loads.
Start reading at: `outcry.models.neural.family`, then `outcry.models.neural.fitting`.
"""
