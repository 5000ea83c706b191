"""The gate every order passes.

Holds: the gate, the kill switch, and in ``kernels`` the compiled decisions: losses, limits, the orders of the gate.
Must not import: execution and later stages, adapters, Ray.
Start reading at: `outcry.risk.gate`.

`RiskConfig` in ``config``; `RiskGate` in ``gate``; `RiskState` in ``state``; `build_rules`, `build_scratch`,
`build_results` in ``arrays``; `to_risk_event` in ``events``
"""
