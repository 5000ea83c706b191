"""What a trade costs: one assumption a file, each with a paragraph on what it ignores.

Slippage and impact are fractions of the price, against the trader; commission is account currency.
Must not import: a broker, adapters, Ray.
Start reading at: `outcry.execution.costs.price`, which adds them up.
"""
