"""The inspector: a reply looked into."""
