"""The public endpoints, for other programs."""
