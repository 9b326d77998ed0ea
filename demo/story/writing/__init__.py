"""Writing a story: the premise, the cast, drafts and their faults, whether pictures keep the hero."""
