"""The pages: the only rooms that know Gradio. They see the model through the public names of `minigpt5` alone."""
