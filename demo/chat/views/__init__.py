"""Stored messages and sessions -> what the chat page shows. No handler, no store is called from here."""
