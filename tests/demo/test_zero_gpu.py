"""A lent GPU: everything that an engine takes and gives crosses a fork, as ZeroGPU has it."""

import subprocess
import sys

import pytest
from running_app import ROOT

from demo import zero_gpu

# In a process of its own, with one thread: torch's threads do not survive a fork.
FORKED = """
import functools, multiprocessing, os, pickle, types
import numpy as np, torch
torch.set_num_threads(1)
import minigpt5
from demo import zero_gpu
from minigpt5 import Conversation, GenerationOptions, ImageFinished, TurnFinished

def lent(task, duration):
    @functools.wraps(task)
    def generator(*args):
        assert callable(duration) and duration(*args) > 0
        mine, other = multiprocessing.Pipe(False)
        sent = pickle.dumps(args)
        if not os.fork():
            for event in task(*pickle.loads(sent)):
                other.send(event)
            other.send(None)
            os._exit(0)
        while (event := mine.recv()) is not None:
            yield event
        os.wait()
    return generator if duration is not zero_gpu.START_SECONDS else task

plain = minigpt5.load("weights/storybook", device="cpu")
engine = minigpt5.load("weights/storybook", device="cpu")
zero_gpu.spaces = types.SimpleNamespace(GPU=lent)
zero_gpu.on_lent_gpu(engine)
options = GenerationOptions(seed=3, num_inference_steps=2, pictures="always", max_new_tokens=40)
from pathlib import Path
chat = Conversation().user(Path("assets/examples/beach.png"), "Draw it at night.")
def told(events):
    events = list(events)
    (picture,) = [e for e in events if isinstance(e, ImageFinished)][:1]
    assert isinstance(events[-1], TurnFinished)
    return picture, events[-1].token_ids
(one, ids), (other, same) = told(engine.stream(chat, options)), told(plain.stream(chat, options))
assert ids == same and one.image.tobytes() == other.image.tobytes()
assert np.array_equal(one.vokens, other.vokens)
(*_, again) = engine.redraw(one.vokens, [options])
assert again.image.tobytes() == one.image.tobytes()
print("crossed")
"""


def test_conversation_options_and_events_cross_the_fork() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKED], cwd=ROOT, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.stdout == "crossed\n", done.stderr


def test_outside_a_space_the_real_package_changes_nothing() -> None:
    spaces = pytest.importorskip("spaces")

    def task() -> None: ...

    assert zero_gpu.spaces is spaces
    assert spaces.GPU(task, duration=zero_gpu.seconds_of_reply) is task
