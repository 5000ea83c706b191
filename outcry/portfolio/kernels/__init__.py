"""Accounting, sizing and rebalancing as compiled code: the desk and the compiled backtest run the same.

Holds: kernels over arrays, and the entry points by which Python calls them.
Must not import: risk and later stages, adapters, Ray; nor be imported by settings, which every command reads.
Start reading at: `outcry.portfolio.kernels.positions`, `outcry.portfolio.kernels.proposal`.
"""
