"""What is done to scores across symbols, one frame after the other: live and backtest run the same machine code.

Holds: `section` (winsorise, standardise, rank) and `residual` (regression at one instant).
Must not import: the rest of `outcry.alphas`.
Start reading at: `outcry.alphas.kernels.section`.
"""
