"""The floor: one Ray actor a file, a thin shell and its typed client.

Holds: the shells and clients, how one actor asks another by name (`calls`), and the wiring: of actors (`launch`), of
plain objects (`in_process`), of a recorded run (`replay`). Beside it, what runs without a floor: the compiled backtest
(`fast`), one trial of a sweep (`trials`) and many of them as tasks (`sweep`).
Must not import: training, deployments, cli.
Start reading at: `actors.launch`, then `actors.desk`.
"""
