"""One model for many people: requests wait in `admission`, go through `loop` together, and leave their beginnings in
`prefixes`. `engine` is what a page or an API holds.

Knows `generation` and `model`; never files, training, a page or a network.
"""
