"""
How long a widget's picture takes to follow a slider, in the kernel: ``python -m tests.benchmarks.widget_redraw``.

Each widget is made as large as its lesson makes it (5000 observations in a regression, 1000 lives), then every slider
is sent back and forth; printed are the time to make the widget and the median and longest wait for a picture, wall
clock. The exit status is 1 where a median exceeds 150 ms, beyond which a picture feels detached from the hand; the
longest wait is that of a shared machine.
"""

import sys
import time
from statistics import median

import matplotlib.pyplot as plt

from tests.test_widgets import DEMOS

LIMIT = 150  # milliseconds
SIZE = {"coefficients_by_hand": 5000, "bfgs_steps": 5000}


def milliseconds(function):
    start = time.perf_counter()
    function()
    return 1000 * (time.perf_counter() - start)


def waits(demo):
    """Every slider through twenty places of its range, and the wait for each picture."""
    found = []
    for control in demo.sliders.values():
        places = [control.min + (control.max - control.min) * i / 20 for i in range(21)]
        for place in places:
            value = type(control.value)(round(place / control.step) * control.step)
            if value != control.value:
                found.append(milliseconds(lambda value=value, control=control: setattr(control, "value", value)))
    return found


def main():
    plt.style.use("helpers.course")
    slowest = 0.0
    print(f"{'widget':22s} {'make (ms)':>10s} {'median (ms)':>12s} {'longest (ms)':>13s}")
    for name, make in DEMOS.items():
        made = []
        took = milliseconds(lambda make=make, name=name, made=made: made.append(make(SIZE.get(name, 1000))))
        found = waits(made[0])
        slowest = max(slowest, median(found))
        print(f"{name:22s} {took:10.0f} {median(found):12.0f} {max(found):13.0f}")
    return int(slowest > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
