"""What can go wrong while the local environment starts; each is shown as one line.

LocalStackError   the local environment cannot go on
Interrupted       a signal asked the launcher to stop
"""


class LocalStackError(Exception):
    """The local environment cannot go on; the message is one line and says what to do."""


class Interrupted(BaseException):
    """A signal asked the launcher to stop; `exit_code` is what a shell expects for it.

    Not an Exception: botocore wraps every Exception that is raised inside a call into an error of its own.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__("interrupted")
        self.exit_code = 128 + signal_number
