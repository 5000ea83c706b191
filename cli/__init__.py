"""``outcry …``: one command a file.

Holds: the commands, the options they share, what the terminal shows, the life of a floor (`session`) and of its Ray
cluster (`cluster`). A command imports what is heavy when it runs.
Must not be imported by: any other package but `bench` and the tests.
Start reading at: `cli.__main__`, then `cli.run` and `cli.session`.
"""
