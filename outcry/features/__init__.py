"""Features of every symbol, frame by frame.

Holds: the catalogue of columns, the compiled kernels, and the engine that runs them.
Must not import: labels and later stages, adapters, Ray.
Start reading at: `outcry.features.engine`.
"""
