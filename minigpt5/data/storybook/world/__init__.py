"""What the storybook's pictures show, as data, and how it is drawn."""
