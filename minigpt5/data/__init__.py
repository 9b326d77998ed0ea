"""What is learned from: the storybook world, drawn and told on the fly, and the batches made of it."""
