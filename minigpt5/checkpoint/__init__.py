"""Models on disk: `store` is our format, `build` makes a model of it on a device, in a precision."""
