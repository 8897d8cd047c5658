"""How large a picture the small model sees."""

MIN_PIXELS = 40 * 28 * 28
MAX_PIXELS = 64 * 28 * 28
"""40 to 64 tokens: few enough to train on two cores in under two hours."""
