"""From a conversation to a reply: `sampling` one token, `text` what may be shown, `turn` what comes next, without a
model, `reader` and `picture` what a model does for it, `engine` all for one conversation; `official` is the official
loop, for comparison.

Never touches files: it is handed a built model and a tokenizer.
"""
