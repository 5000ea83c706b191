"""How a process of outcry ends, where it does not succeed: what a shell, a scheduler or a queue of jobs may read."""

EXIT_FAILED = 1
EXIT_MISUSED = 2  # it was given settings, files or arguments that it does not take
EXIT_UNAVAILABLE = 69  # a service is; the one of these that another try may mend
EXIT_INTERRUPTED = 130
