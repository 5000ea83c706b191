"""The compiled arithmetic of every feature.

Holds: one module a family, one entry point (`advance`).
Must not import: pandas, TA-Lib, anything that does I/O.
Start reading at: `outcry.features.kernels.advance`.
"""
