"""The database beneath the store: its tables, how it is opened, its versions, and the stored form of messages."""
