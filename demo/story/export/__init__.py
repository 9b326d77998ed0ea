"""A story as a file, a module a format, each a function of a `Book`; `zip_import` reads a ZIP back."""
