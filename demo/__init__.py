"""The chat page: the only rooms that know Gradio. They see the model through the public names of `minigpt5` alone."""

from demo.ui import create_demo, launch_options

__all__ = ["create_demo", "launch_options"]
