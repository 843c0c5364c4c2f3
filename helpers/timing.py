"""Processor time of a call, measured so that two of them can be compared."""

import time

from threadpoolctl import threadpool_limits


def cpu_seconds(function, repeat=3):
    """
    Least processor time of several calls, with BLAS on one thread.

    Wall-clock time on a shared machine measures the neighbours, and a multi-threaded BLAS spends more on waking
    its threads than on a small product. Compare two results of one run as a ratio; never assert a time in seconds.

    Parameters
    ----------
    function : callable
        Called without arguments.
    repeat : int
        How many calls. The least of their times is the one least disturbed.

    Returns
    -------
    float
        Seconds of processor time of one call.

    Examples
    --------
    >>> cpu_seconds(lambda: sum(range(100_000))) > cpu_seconds(lambda: sum(range(10)))
    True
    """
    times = []
    with threadpool_limits(limits=1, user_api="blas"):
        for _ in range(repeat):
            start = time.process_time()
            function()
            times.append(time.process_time() - start)
    return min(times)
