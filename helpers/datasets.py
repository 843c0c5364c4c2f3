"""
Where data enter the course: small real data sets with their published estimates, and the gate every data set passes.

Bad input is refused here, once, with the argument and the first offending index, and never inside a function that
is differentiated.
"""

from importlib.resources import files

import numpy as np
import pandas as pd


def _refuse(name, values, bad, rule):
    if np.any(bad):
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        where = index[0] if len(index) == 1 else index
        raise ValueError(f"{name} must be {rule}: {name}[{where}] is {values[index]}")


def _numbers(name, values, ndim):
    try:
        values = np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers: {error}") from None
    if values.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension(s), its shape is {values.shape}")
    if values.shape[0] == 0:
        raise ValueError(f"{name} is empty: there is nothing to estimate from")
    _refuse(name, values, ~np.isfinite(values), "finite")
    return values


def positive(name, value):
    """
    Return a positive finite number unchanged, refuse anything else.

    Examples
    --------
    >>> positive("sigma", -2.0)
    Traceback (most recent call last):
        ...
    ValueError: sigma must be a positive finite number, got -2.0
    """
    if not (np.isscalar(value) and np.isreal(value) and 0 < value < np.inf):
        raise ValueError(f"{name} must be a positive finite number, got {value!r}")
    return value


def survival_data(durations, events=None):
    """
    Check durations and event flags, and return them as arrays.

    Parameters
    ----------
    durations : array_like, shape (n,)
        Positive times, in any unit.
    events : array_like, shape (n,), optional
        1 where the event was observed, 0 where the duration is censored. By default all were observed.

    Returns
    -------
    t : ndarray, shape (n,)
    e : ndarray, shape (n,)

    Raises
    ------
    ValueError
        For empty data, shapes that disagree, a value that is missing or infinite, a duration that is not positive or
        a flag other than 0 and 1; it names the argument and the first offending index.

    Examples
    --------
    >>> survival_data([6, 3], [True, False])
    (array([6., 3.]), array([1., 0.]))
    >>> survival_data([6, 0])
    Traceback (most recent call last):
        ...
    ValueError: durations must be positive: durations[1] is 0.0
    """
    t = _numbers("durations", durations, ndim=1)
    _refuse("durations", t, t <= 0, "positive")
    e = np.ones_like(t) if events is None else _numbers("events", events, ndim=1)
    if e.shape != t.shape:
        raise ValueError(f"durations has shape {t.shape}, events has shape {e.shape}: they must agree")
    _refuse("events", e, ~np.isin(e, (0.0, 1.0)), "0 (censored) or 1 (observed)")
    return t, e


def regression_data(y, X):
    """
    Check a response and its regressors, and return them as arrays.

    Parameters
    ----------
    y : array_like, shape (n,)
    X : array_like, shape (n, K)

    Returns
    -------
    y : ndarray, shape (n,)
    X : ndarray, shape (n, K)

    Raises
    ------
    ValueError
        For empty data, shapes that disagree, values that are missing or infinite, fewer rows than needed, or columns
        that are linearly dependent; it names the argument and, where there is one, the first offending index.

    Examples
    --------
    >>> y, X = regression_data([1, 2, 4], [[1, 0], [1, 1], [1, 2]])
    >>> X.shape
    (3, 2)
    >>> regression_data([1.0, float("nan")], [[1.0], [1.0]])
    Traceback (most recent call last):
        ...
    ValueError: y must be finite: y[1] is nan
    """
    y, X = _numbers("y", y, ndim=1), _numbers("X", X, ndim=2)
    if y.shape[0] != X.shape[0]:
        raise ValueError(f"y has {y.shape[0]} rows, X has {X.shape[0]}: they must agree")
    rank = np.linalg.matrix_rank(X)
    if rank < X.shape[1]:
        raise ValueError(f"X has {X.shape[1]} columns but rank {rank}: some column is a combination of the others")
    return y, X


def _read(name):
    with files("helpers").joinpath("data", name).open(encoding="utf-8") as file:
        return pd.read_csv(file, comment="#")


def leukaemia():
    """
    Remission of 42 children with acute leukaemia: 6-mercaptopurine against placebo.

    The children were matched in 21 pairs by remission status; the literature, and this course, ignores the pairs.

    Returns
    -------
    pandas.DataFrame
        42 rows: ``weeks`` (time in remission), ``relapse`` (1 observed, 0 censored), ``arm`` ("placebo" or "6-MP"),
        ``pair`` (1 to 21).

    References
    ----------
    E. J. Freireich et al., "The effect of 6-mercaptopurine on the duration of steroid-induced remissions in acute
    leukemia", Blood 21 (1963), 699–716. Published estimates: `leukaemia` is the standard example of
    D. R. Cox, "Regression models and life-tables", JRSS B 34 (1972), 187–220, table 1.

    Examples
    --------
    >>> data = leukaemia()
    >>> data.groupby("arm")[["weeks", "relapse"]].sum().loc[["placebo", "6-MP"]].to_numpy().tolist()
    [[182, 21], [359, 9]]
    """
    return _read("leukaemia.csv")


def ball_bearings():
    """
    Revolutions to failure of 23 deep-groove ball bearings; every failure was observed.

    Returns
    -------
    pandas.DataFrame
        23 rows: ``revolutions``, in millions. The seventh is 48.48, as in the original; some books print 48.40.

    References
    ----------
    J. Lieblein and M. Zelen, "Statistical investigation of the fatigue life of deep-groove ball bearings", Journal of
    Research of the National Bureau of Standards 57 (1956), 273–316.

    Examples
    --------
    >>> data = ball_bearings()
    >>> len(data), float(data["revolutions"].iloc[6])
    (23, 48.48)
    """
    return _read("ball_bearings.csv")
