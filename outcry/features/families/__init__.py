"""What there is to compute: the kinds of indicators of each family, and the columns they write.

Holds: a file a family, with its opcodes. Must not import: the kernels of families, which import their opcodes from
here; `kernels.bars` names the rows of the history that a kind reads.
Start reading at: `outcry.features.indicator`, then `momentum`.
"""
