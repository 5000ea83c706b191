"""Measure outcry against its goals: ``python -m bench [--only NAME]``.

Holds: one module a part (`features`, `models`, `storage`, `serve`, `floor`, `backtest`), each with
``run() -> list[Result]``.
Must not be imported by: any other package.
Start reading at: `bench.__main__`.
"""
