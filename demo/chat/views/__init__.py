"""Stored messages and sessions -> what the chat page shows."""
