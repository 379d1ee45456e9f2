"""What each sub-command does, one module for each: `softmode retry-failed` is in `retry_failed.py`.

A module's docstring is the command's help. `add_arguments` declares its arguments, `Options` the type of each under the
same name, and `run` does the work and returns the exit code where it is not always 0. A module imports next to nothing
before `run` is called: the parser of all commands is built for each of them, and a potential's environment has no
pandas, the workflow's no torch.
"""
