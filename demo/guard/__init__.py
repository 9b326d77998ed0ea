"""The guard between network and pages: who may ask, what a request may hold and cost, what an answer tells."""
