"""The compiled arithmetic of every feature: one module a family, one entry point (`advance`).

Must not import pandas, TA-Lib or anything that does I/O. Start reading at `advance`.
"""
