"""What a request may hold: clean text, values of a known shape, uploaded files and vokens."""
