"""The public endpoints, for other programs: JSON in, JSON out."""
