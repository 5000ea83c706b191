"""Ray Serve: the ensemble that answers the desk through a handle, and anybody over HTTP.

Holds: the deployment and the model slot that swaps bundles, the HTTP API, the desk's client, HAProxy's environment.
Must not import: cli, training. Importing any module here starts nothing.
Start reading at: `deployments.ensemble`, then `deployments.serving`, which starts, swaps and stops it.
"""
