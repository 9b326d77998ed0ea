"""Chats and stories that stay: plain `records`, the database that keeps them, and the files of their pictures."""
