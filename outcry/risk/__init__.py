"""The gate every order passes.

Holds: one limit a file (``…_limit.py``), the drawdown ladder, the kill switch, and the gate that applies them.
Must not import: execution and later stages, adapters, Ray.
Start reading at: `outcry.risk.gate`.

`RiskConfig` in ``config``; `RiskGate` in ``gate``; `RiskState` in ``state``
"""
