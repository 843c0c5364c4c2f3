"""
Which isolation this machine has, and a worker that runs submissions in it.

Three modes: ``"warm"`` (one bubblewrap that has imported what notebooks import, and a world of namespaces of its own
for each submission), ``"bwrap"`` (one bubblewrap a submission, where nested user namespaces are refused) and
``"unsafe"`` (a plain process with resource limits only, where the instructor asks for it).

A job is a dict, all of it JSON::

    {"cells": [{"id": "gradient", "source": "..."}, ...],   # the code cells as handed in, in order
     "setup": "import numpy as np\n...",                    # source of the probe-setup cells, "" for none
     "questions": {"gradient": [{"source": "returned = gradient(t, e)", "seed": 8213}, ...]}}

Each probe runs in a fresh namespace: ``setup`` first, then ``rng = np.random.default_rng(seed)`` and the answer under
its name, then the probe; seed is an int or a list of ints. Answers, expected numbers and tolerances have no place in
the job of a student's submission. The answer notebook is run by a job of its own.
"""

from dataclasses import dataclass

from solutions.grading.channel import Result


class SandboxError(RuntimeError):
    """The sandbox itself failed (never the submission): nothing is known about the submission. The text says what to do."""


@dataclass(frozen=True)
class Limits:
    """What a submission may use. Seconds of the clock; bytes; counts."""

    cell_seconds: float = 60.0
    probe_seconds: float = 30.0
    wall_seconds: float = 300.0  # of the whole submission, re-runs included
    memory_bytes: int = 1 << 30  # address space of each process; all of them together twice that
    processes: int = 16
    file_bytes: int = 32 << 20
    output_bytes: int = 64 << 10  # kept; more may be printed and is thrown away
    reruns: int = 8


@dataclass(frozen=True)
class Isolation:
    """
    Answer of `available`.

    Attributes
    ----------
    mode : str
        ``"warm"``, ``"bwrap"`` or ``"none"``.
    description : str
        One sentence for the instructor.
    reason : str
        Why it is not better; empty for ``"warm"``.
    remedy : str
        The line that gets a sandbox on this system; empty where there is one.
    """

    mode: str
    description: str
    reason: str = ""
    remedy: str = ""


def available():
    """
    Find out by trying, once a process, which isolation this machine has.

    Returns
    -------
    Isolation
    """
    raise NotImplementedError


class Worker:
    """
    Runs submissions one at a time, isolated. A context manager; one thread at a time.

    Parameters
    ----------
    mode : {None, "warm", "bwrap", "unsafe"}
        None takes the best that `available` finds and never ``"unsafe"``.
    limits : Limits
    helpers : path, optional
        The release's ``helpers/``; by default this checkout's.

    Raises
    ------
    SandboxError
        Where the mode is not to be had; the text holds reason and remedy.
    """

    def __init__(self, mode=None, limits=Limits(), helpers=None):
        raise NotImplementedError

    def run(self, job):
        """
        Run one submission.

        Parameters
        ----------
        job : dict
            As above.

        Returns
        -------
        Result
            Never an exception because of what the student wrote.

        Raises
        ------
        SandboxError
            Where the sandbox could not be started; safe to try again.
        """
        raise NotImplementedError

    def close(self):
        """End the worker's process and all it started."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
