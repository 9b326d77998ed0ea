"""Stories: the bank of skeletons, what may happen to anyone, and how stories are asked for and told."""
