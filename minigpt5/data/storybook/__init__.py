"""The storybook world: scenes, their drawings, and the language about them."""
