"""The columns of the catalogue.

Holds: a module a family; each tuple is the order in which its kernel writes.
Must not import: kernels.
Start reading at: `outcry.features.columns.trend`.
"""
