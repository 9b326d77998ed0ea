"""The demo over the scripted engine and a data folder, served as `app.py` does: `python killed_app.py FOLDER --port N`."""

import argparse
from pathlib import Path

from scripted_engine import ScriptedEngine

import app
from demo.site import create_demo, launch_options
from demo.store import ChatStore

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    flags = parser.parse_args()
    store = ChatStore.in_folder(flags.folder)
    store.tidy()
    demo = create_demo(ScriptedEngine(pause=0.01), store=store, max_users=2)
    app.serve(demo, store, {"server_port": flags.port, "quiet": True, **launch_options(demo)})
