"""Tables of words: for what pictures show, for requests, small talk, and what lies outside."""
