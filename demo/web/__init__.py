"""What all pages share: theme, translations, actions, data for scripts, addresses of images, and the static files."""
