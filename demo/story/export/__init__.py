"""A story carried away as a file, a module a format; `zip_import` takes a ZIP in again."""
