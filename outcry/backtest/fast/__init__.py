"""The fast backtest: accounting, sizing, limits, matching and fills of a whole run in one compiled loop.

Holds: the loop over the kernels that the desk calls too, and what it leaves behind.
Must not import: adapters, Ray.
Start reading at: `outcry.backtest.fast.engine`.
"""
