"""Features of a symbol among the others: the second stage, over the whole universe at one instant.

Holds: the columns, the compiled step, and the state that runs it.
Must not import: labels and later stages, adapters, Ray.
Start reading at: `outcry.features.cross.section`.
"""
