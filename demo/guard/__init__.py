"""What stands between the network and the pages: who may ask, what a request may hold, what an answer tells."""
