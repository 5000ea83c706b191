"""Statistics of one window that are too slow for every bar: dependence, roots, memory, breaks, tails, waves, toxicity.

Every function reads ``x[end - window + 1 .. end]``, oldest first, and nothing else: its value is a function of the
window alone. What it needs to remember stands in a scratch array of the caller, whose content before the call is of no
matter. A window without variation gives a finite value that the docstring names.
Holds: one module a family of statistics, compiled into their caller.
Must not import: SciPy, statsmodels, PyWavelets (they are the oracles of the tests).
Start reading at: `outcry.features.kernels.statistics.sums`.
"""
