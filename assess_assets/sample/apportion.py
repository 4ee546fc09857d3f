"""Dividing a whole number among shares.

Belongs here: that one function, used for scores, incomplete questions and dates alike. Does not:
anything that knows what is divided.
"""

from collections.abc import Sequence


def apportion(
    total: int,
    weights: Sequence[float],
    lows: Sequence[int] | None = None,
    highs: Sequence[int] | None = None,
) -> list[int]:
    """Whole shares that add up to `total`, near proportion to `weights` within lows and highs."""
    shares = list(lows) if lows is not None else [0] * len(weights)
    scale = total / (sum(weights) or 1.0)
    open_to_more = [
        index for index in range(len(weights)) if highs is None or shares[index] < highs[index]
    ]
    for _ in range(total - sum(shares)):
        best = max(open_to_more, key=lambda index: weights[index] * scale - shares[index])
        shares[best] += 1
        if highs is not None and shares[best] >= highs[best]:
            open_to_more.remove(best)
    if sum(shares) != total:
        raise ValueError(f"cannot divide {total} into shares of at least {sum(shares)}")
    return shares
