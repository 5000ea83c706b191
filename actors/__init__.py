"""The floor: one Ray actor a file, a thin shell and its typed client.

Holds: the shells and clients, how one actor asks another by name (`calls`), and the wiring: of actors (`launch`), of
plain objects (`in_process`), of a recorded run (`replay`).
Must not import: training, deployments, cli.
Start reading at: `actors.launch`, then `actors.desk`.
"""
