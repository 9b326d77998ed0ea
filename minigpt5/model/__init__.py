"""The paper's figure, one file a box: `vision`, `language`, `mapper`, `diffusion`, and `minigpt5` that holds the four."""
