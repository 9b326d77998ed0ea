"""Measuring what the model says and draws."""
