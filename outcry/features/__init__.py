"""Features: the catalogue of columns, the compiled kernels, and the engine that runs them.

Must not import Ray, adapters or anything later than `market`. Start reading at `engine`.
"""
