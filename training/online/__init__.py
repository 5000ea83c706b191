"""Learning while trading: outcomes as they become known, updates of the model, and what is kept of them.

Holds: the rows that wait, an update and its judgement, the learner that goes frame by frame.
Must not import: Ray, databases; what follows a run is `cli.learn`.
Start reading at: `training.online.learner`.
"""
