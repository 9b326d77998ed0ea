"""Stories in scenes: writing them, keeping them, showing them on a stage and carrying them away as files."""
