"""Stories in scenes: writing them, keeping them, showing them on a stage, exporting them as files."""
