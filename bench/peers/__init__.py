"""The same crossover in four other backtesters, on the same bars: ``make peers``.

Holds: the strategy and what passes between the processes (`protocol`), one program an engine (`…_peer`), the trades by
exact arithmetic (`oracle`), the check that all made the same ones (`agreement`), and the driver (`compare`).
Must not be imported by: any other package. The `…_peer` modules run in environments of their own, and import nothing
but `protocol` and their library.
Start reading at: `bench.peers.protocol`.
"""
