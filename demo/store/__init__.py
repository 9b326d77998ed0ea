"""Chats that stay: what they consist of, the tree of their messages, the database, and the files of their pictures.

Loads without Gradio and without the model.
"""

from demo.store.chats import ChatStore
from demo.store.files import PictureFiles
from demo.store.records import ChatInfo, Drawing, Node, Part, Picture, Sketch, Upload, Words
from demo.store.retention import Retention
from demo.store.tree import Tree

__all__ = [
    "ChatInfo",
    "ChatStore",
    "Drawing",
    "Node",
    "Part",
    "Picture",
    "PictureFiles",
    "Retention",
    "Sketch",
    "Tree",
    "Upload",
    "Words",
]
