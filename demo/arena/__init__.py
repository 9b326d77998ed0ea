"""The arena: replies of two systems compared blind, and the votes."""
