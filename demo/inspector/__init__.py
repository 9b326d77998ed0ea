"""The inspector: the tokens, timings, vokens and script of one reply."""
