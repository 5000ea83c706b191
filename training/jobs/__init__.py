"""A queue of commands over the jobs of a Ray cluster: ``outcry jobs``.

Holds: what starts, follows, repeats and stops them (``dispatcher``), and the job API of Ray (``ray_jobs``). Ray runs
the jobs and keeps what they print; the queue itself is in `outcry.adapters.postgres.jobs`.
Start reading at: `training.jobs.dispatcher`.
"""
