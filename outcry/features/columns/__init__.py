"""The columns of the catalogue, a module a family; each tuple is the order in which its kernel writes.

Must not import kernels. Start reading at `trend`.
"""
