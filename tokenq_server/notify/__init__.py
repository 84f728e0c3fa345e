"""Letters: which event calls for one, what it says, and how it is sent without losing or doubling any."""
