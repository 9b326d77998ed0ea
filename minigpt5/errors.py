"""The errors that a user of the library can cause. Each message says what was got and what was expected.

Everything else that is raised is a programmer's mistake and comes as Python's own exceptions.
"""


class MiniGPT5Error(Exception):
    """Base of all errors of this library; catching it catches every user's mistake and nothing else."""


class OptionError(MiniGPT5Error):
    """A generation option lies outside its range."""


class ImageError(MiniGPT5Error):
    """A picture cannot be opened, or is larger than allowed."""


class CheckpointError(MiniGPT5Error):
    """A model folder lacks a file, or a file does not hold what the configuration asks for."""


class PromptError(MiniGPT5Error):
    """A conversation cannot be turned into a prompt: it is empty, ends with a reply, or its last turn is too
    long."""


class BusyError(MiniGPT5Error):
    """Too many requests wait already, of all or of this person; the message says when to come back."""


class DataError(MiniGPT5Error):
    """A data set cannot be read, or one of its records cannot be learned from."""


class TrainingError(MiniGPT5Error):
    """A training cannot begin as asked, or its loss is no number any more."""
