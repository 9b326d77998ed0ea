"""The picture dialog: one picture of the chat large, and the tools that draw it again."""
