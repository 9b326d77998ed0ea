"""The picture dialog: one picture of a chat, all its drawings, and the tools that draw it again."""
