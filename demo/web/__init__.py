"""What all pages share: the theme, their words in other languages, actions that scripts ask for, addresses of images."""
