"""Service times learned from recent services, robustly: a few forgotten finishes must not move a forecast."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import median

ENOUGH = 10
"""Services of today after which their mean counts alone, without the department's setting."""
_PRIOR_WEIGHT = 5
"""Before the first service, the prior counts as much as this many; its weight falls to zero at ``ENOUGH``."""
_USUAL_SPREAD = 0.6
"""Standard deviation divided by mean, before enough services were observed."""
_OUTLIER = 3
"""A service longer than this many medians was finished late, or was no usual one."""
_MAD_TO_SIGMA = 1.4826
"""The standard deviation of a normal distribution divided by its median absolute deviation."""


@dataclass(frozen=True)
class ServiceTime:
    """How long one token occupies a counter, from call to end, in seconds; learned from ``samples`` services."""

    mean: float
    spread: float
    samples: int = 0

    def draw(self, dice: random.Random, elapsed: float = 0.0) -> float:
        """Draw a log-normal service time, or the rest of one that has taken ``elapsed`` seconds."""
        sigma = sqrt(log(1 + (self.spread / self.mean) ** 2))
        centre = log(self.mean) - sigma * sigma / 2
        for _ in range(6):
            drawn = exp(dice.gauss(centre, sigma))
            if drawn > elapsed:
                return drawn - elapsed
        return self.mean / 3


def typical(mean: float) -> ServiceTime:
    """Return a service time of which only the mean is known."""
    return ServiceTime(mean, mean * _USUAL_SPREAD)


def learned(seen: Sequence[float], prior_minutes: float, forgotten_minutes: int = 0) -> ServiceTime:
    """Estimate the service time from recent services, in seconds, shrunk towards the department's prior.

    A service of ``forgotten_minutes`` or more (0: no limit) was presumably forgotten and teaches nothing. Of the rest,
    those far above the median are left out, and a log-normal distribution is fitted to what remains by its median and
    its median absolute deviation. The two have the highest possible breakdown point: up to half of the services may be
    wrong.

    Source: F. R. Hampel, "The breakdown points of the mean combined with some rejection rules", Technometrics 27
    (1985): rejection by a multiple of a robust scale, here the median itself, since only long services are suspect.
    """
    services = _plausible(seen, forgotten_minutes)
    count, prior = len(services), prior_minutes * 60
    ratio, mean = _USUAL_SPREAD, prior
    if services:
        middle = median(services)
        deviation = median(abs(log(seconds / middle)) for seconds in services)
        sigma = min(_MAD_TO_SIGMA * deviation, 1.0)
        ratio = _shrunk(sqrt(exp(sigma**2) - 1), _USUAL_SPREAD, count, _PRIOR_WEIGHT)
        # The mean of a log-normal distribution with this median and this ratio of deviation to mean.
        weight = _PRIOR_WEIGHT * max(0.0, 1 - count / ENOUGH)
        mean = _shrunk(middle * sqrt(1 + ratio**2), prior, count, weight)
    return ServiceTime(mean, max(ratio * mean, 0.1), count)


def _plausible(seen: Sequence[float], forgotten_minutes: int) -> list[float]:
    limit = forgotten_minutes * 60 or float("inf")
    services = [seconds for seconds in seen if 1 <= seconds < limit]
    longest = _OUTLIER * median(services) if services else 0.0
    return [seconds for seconds in services if seconds <= longest]


def _shrunk(observed: float, prior: float, count: int, weight: float) -> float:
    """The observed figure, drawn towards the prior the more the fewer observations there are."""
    return (prior * weight + observed * count) / (weight + count)
