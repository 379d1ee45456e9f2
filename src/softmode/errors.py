"""The errors that softmode raises on purpose."""


class InputError(Exception):
    """Something the user gave cannot be used; the message names it and says what to do."""


class StorageError(Exception):
    """An output cannot be written; the message says which, why, and how much room there is."""


class DeviceLost(Exception):
    """The GPU answers nothing any more in this process; whatever is in flight may be what broke it."""


class EntryError(InputError):
    """One entry, or one calculation of it, failed; the others go on.

    Args:
        kind: one word of the field for tables, such as `not_converged` or `bad_entry`.
        message: what was wrong, for a person.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
