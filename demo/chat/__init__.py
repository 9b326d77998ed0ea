"""The chat: its page, its handlers, a tab's session, and the views of it."""
