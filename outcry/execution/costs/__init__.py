"""What a trade costs: one assumption a file, each with a paragraph on what it ignores.

Must not import: a broker, adapters, Ray.
Start reading at: `outcry.execution.costs.fixed_slippage`.
"""
