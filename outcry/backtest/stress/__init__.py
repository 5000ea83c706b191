"""Trade real prices made worse, and measure what is left.

Holds: scenarios, the transform of a tape, resilience, the run over several scenarios.
Must not import: anything that trades, adapters, Ray.
Start reading at: `run.py`, whose `stress_test` takes any function from frames to equity.
"""
