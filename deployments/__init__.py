"""Ray Serve: the ensemble that answers the desk through a handle, and anybody over HTTP.

Must not import `cli` or `training`; importing any module here starts nothing.
Start reading at `deployments.ensemble`, then `deployments.serving`, which starts, swaps and stops it.
"""
