"""The demo over the scripted engine, for looking at the page without a model: `python scripted_app.py --port 7860`."""

import argparse

from scripted_engine import ScriptedEngine

from demo.site import create_demo, launch_options

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=7860)
    demo = create_demo(ScriptedEngine(pause=0.04))
    demo.launch(server_port=parser.parse_args().port, **launch_options(demo))
