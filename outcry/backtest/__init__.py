"""Runs in one process, and what is said about a run.

Holds: the ports of a desk over plain objects, the comparison of two ledgers, analytics, the report.
Must not import: adapters, Ray.
Start reading at: `outcry.backtest.in_process`, `outcry.backtest.history`.
"""
