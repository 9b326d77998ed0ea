"""From a conversation to a reply: `sampling` one token, `text` what may be shown, `decoding` the loop,
`engine` all.

Never touches files: it is handed a built model and a tokenizer.
"""
