"""What there is to compute: the kinds of indicators of each family, and the columns they write.

Holds: a file a family, with its opcodes. Must not import: kernels, which import their opcodes from here.
Start reading at: `outcry.features.indicator`, then `momentum`.
"""
