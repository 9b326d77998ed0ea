"""The chat: its page, what happens on it, and what it shows of a session."""
