"""Speed and size, measured; nothing here is asserted."""
