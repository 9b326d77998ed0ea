"""The pages of the demo, the only package that imports Gradio.

`app.py` starts it through `site`. It knows the model by the public names of `minigpt5` alone: no torch, no weights.
"""
