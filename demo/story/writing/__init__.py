"""How a story is written: the premise, the cast, the stream of scenes, and the check that the hero stays the same."""
