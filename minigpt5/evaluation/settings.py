"""The paper's settings as data (section 4), and what each makes of a sample.

A sample is a conversation and the true reply to it, whatever data set it comes from; a story or dialogue of several
replies is one sample, whose earlier replies are the assistant's turns in the conversation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from minigpt5.conversation import Conversation, ImagePart, Message, TextPart
from minigpt5.options import PictureMode

Sample = tuple[Conversation, Message]
Context = Literal["none", "text", "images", "both"]
Steps = Literal["last", "true history", "own history", "every turn"]


@dataclass(frozen=True)
class Setting:
    """`name` is that of its folder, `source` the kind of sample it wants, `systems` who answers.

    `context`: what of the history is shown beside the request. `steps`: the last reply alone, or each of them, after
    the true ones or after the system's own; "every turn" is each message but the first, whoever says it. `narration`: the true words of the reply are given and only its picture is
    asked for. `rated`: raters compare its systems in the arena.
    """

    name: str
    title: str
    source: str
    systems: tuple[str, ...]
    context: Context = "both"
    steps: Steps = "last"
    narration: bool = False
    rated: bool = False
    pictures: PictureMode = "always"


@dataclass(frozen=True)
class Task:
    """One reply that is asked for; tasks of one `group` are the steps of one story or dialogue, in order."""

    id: str
    group: str
    history: Conversation
    truth: Message


MINIGPT5, ZERO_SHOT, FINE_TUNED, TWO_STAGE = "MiniGPT-5", "SD zero-shot", "SD fine-tuned", "two-stage"
GUIDANCE_SCALES = (1, 2, 3, 5, 7.5, 10, 15)


def guided(scale: float) -> str:
    """The name of MiniGPT-5 at this guidance scale."""
    return f"{MINIGPT5}, guidance {scale:g}"


CONTEXTS: dict[Context, str] = {"text": "words", "images": "pictures", "both": "words and pictures"}

SETTINGS = (
    Setting("captions", "Picture from a caption (CC3M)", "captions", (MINIGPT5, ZERO_SHOT, FINE_TUNED)),
    Setting(
        "scenes",
        "Every scene of a story, its words given, after the true ones (VIST)",
        "scenes",
        (MINIGPT5, ZERO_SHOT, FINE_TUNED),
        steps="true history",
        narration=True,
    ),
    Setting(
        "last-none",
        "Last scene of a story, its words given, no context (VIST)",
        "stories",
        (MINIGPT5, ZERO_SHOT, FINE_TUNED),
        context="none",
        narration=True,
    ),
    *(
        Setting(
            f"last-{context}",
            f"Last scene of a story, its words given, context: {shown} (VIST)",
            "stories",
            (MINIGPT5,),
            context=context,
            narration=True,
        )
        for context, shown in CONTEXTS.items()
    ),
    Setting(
        "steps-true",
        "Every scene of a story, after the true ones (VIST)",
        "told",
        (MINIGPT5, TWO_STAGE),
        steps="true history",
        rated=True,
    ),
    Setting(
        "steps-own",
        "Every scene of a story, after the system's own (VIST)",
        "told",
        (MINIGPT5, TWO_STAGE),
        steps="own history",
    ),
    Setting(
        "dialogues",
        "Every reply of a dialogue, after the true ones (MMDialog)",
        "dialogues",
        (MINIGPT5, TWO_STAGE),
        steps="true history",
        rated=True,
        pictures="auto",
    ),
    Setting(
        "guidance",
        "Picture from a caption, by guidance scale",
        "captions",
        tuple(guided(scale) for scale in GUIDANCE_SCALES),
    ),
)


def tasks_of(setting: Setting, samples: Iterable[Sample]) -> Iterator[list[Task]]:
    """The tasks of each sample. In `own history` their histories are the true ones, see `own_history`."""
    for number, (history, truth) in enumerate(samples):
        messages = (*history.messages, truth)
        everyone = setting.steps == "every turn"
        replies = [i for i, m in enumerate(messages) if i and (everyone or m.role == "assistant")]
        wanted = replies[-1:] if setting.steps == "last" else replies
        group = f"{number:04d}"
        yield [
            Task(f"{group}-{step}", group, restrict(Conversation(messages[:i]), setting.context), messages[i])
            for step, i in enumerate(wanted)
        ]


def own_history(task: Task, answers: list[Message]) -> Task:
    """The same task with the earlier replies in its history exchanged for the system's `answers`, in order."""
    own = iter(answers)
    messages = [next(own) if m.role == "assistant" else m for m in task.history.messages]
    return replace(task, history=Conversation(tuple(messages)))


def restrict(history: Conversation, context: Context) -> Conversation:
    """The history with only what `context` shows; the last words of the user, the request, stay."""
    if context == "both":
        return history
    *before, last = history.messages
    request = next((p for p in reversed(last.parts) if isinstance(p, TextPart)), None)
    kinds = {"none": (), "text": (TextPart,), "images": (ImagePart,)}[context]
    kept = [replace(m, parts=tuple(p for p in m.parts if isinstance(p, kinds))) for m in before]
    shown = tuple(p for p in last.parts if isinstance(p, kinds) or p is request)
    return Conversation((*(m for m in kept if m.parts), replace(last, parts=shown)))
