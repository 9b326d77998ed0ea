"""The recipe of the next embedded model, over the wide world; the shipped one is still made by `training.storybook`."""
