"""What can be done in the picture dialog: look at a picture, choose a drawing, draw it again, use it as input.

`picture.page` wires `PictureHandlers`; the script says which picture is meant: `{"node", "part", ...}`. A redraw
starts from the picture's vokens, so the words stay as they are. Every drawing is kept; the chat shows the chosen one.
Knows nothing of how the dialog looks.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr
from pydantic import Field, TypeAdapter

from demo.chat.growing_reply import PREVIEW_SECONDS, save_drawing
from demo.chat.handlers import BUSY, ChatHandlers, origin, sending
from demo.chat.session import PictureRef, Session
from demo.chat.settings import CONTROLS, default_values, read_settings, scheduler_choices
from demo.chat.status import Status
from demo.chat.views.messages import ChatMessage, drawing_label, escape_markdown, forming_part
from demo.engine_type import ChatEngine
from demo.guard.failures import failure, sentence
from demo.guard.input.shapes import Count, Id, OpenShape, read
from demo.store.records import Drawing, Picture
from demo.store.tree import Tree
from demo.web.image_urls import file_url, frame_url, preview_url
from demo.web.page_data import data_html
from minigpt5 import GenerationOptions, ImageFinished, ImageProgress, ImageStarted, MiniGPT5Error, OptionError

SETTINGS = ("guidance_scale", "num_inference_steps", "scheduler", "seed")
FAILED = "The picture could not be drawn again. It is as it was; try other settings. (Number {number})"

Seen = tuple[list[ChatMessage], str, str]  # chat, status, dialog

MAX_CHOICES = 8


class Chosen(OpenShape):
    """A drawing of a picture, by its number."""

    chosen: Count


class Order(OpenShape):
    """The ways in which a picture shall be drawn again."""

    choices: list[dict[str, Any]] | None = Field(None, max_length=MAX_CHOICES)


class Ref(OpenShape):
    """A picture: its message, and which of its parts."""

    node: Id
    part: Count


CHOSEN, ORDER, REF = TypeAdapter(Chosen), TypeAdapter(Order), TypeAdapter(Ref)


@dataclass(eq=False)
class Redrawing:
    """A redraw under way: which picture, in which ways, and how far each has come."""

    ref: PictureRef
    choices: list[GenerationOptions]
    status: Status
    owner: str
    chat: str
    tree: Tree
    forming: list[dict[str, str]] = field(default_factory=list)
    drawn: list[Drawing] = field(default_factory=list)


class PictureHandlers:
    """What can be done with a picture; the chat's handlers keep the session and the store."""

    def __init__(self, chat: ChatHandlers) -> None:
        self._chat = chat
        self._ways = ways_of(chat.engine)

    def look(self, session: Session, about: object) -> str:
        """A picture is opened in the dialog."""
        return self._dialog(session, read_ref(about))

    def choose(self, session: Session, about: object) -> tuple[Any, ...]:
        """Show another of the picture's drawings in the chat."""
        ref, chosen = read_ref(about), read(CHOSEN, about, "drawing").chosen
        if session.active is not None:
            return (*self._chat.refused(session, BUSY), self._dialog(session, ref))
        try:
            picture = session.picture(*ref)
            if chosen < len(picture.drawings):
                self._chat.change_picture(session, *ref, replace(picture, chosen=chosen))
        except MiniGPT5Error as error:
            return (*self._chat.refused(session, sentence(error)), self._dialog(session, ref))
        return (*self._chat.page_update(session, gr.update()), self._dialog(session, ref))

    def start(self, session: Session, about: object) -> tuple[Any, ...]:
        """Begin to draw a picture again, once for each of the choices that come with it."""
        ref, order = read_ref(about), read(ORDER, about, "picture")
        try:
            if session.active is not None:
                raise MiniGPT5Error(BUSY)
            session.picture(*ref)
            self._chat.store.verify_room(session.owner)
            choices = [read_choice(choice) for choice in order.choices or [{}]]
        except MiniGPT5Error as error:
            shown = self._chat.refused(session, escape_markdown(sentence(error)))
            return (*shown, self._dialog(session, ref, problem=sentence(error)))
        status = Status(self._chat.clock)
        work = Redrawing(ref, choices, status, session.owner, str(session.chat), session.tree)
        session.active, session.notice = work, ""
        return (*self._chat.page_update(session, sending(False)), self._dialog(session, ref))

    def redraw(self, session: Session) -> Iterator[Seen]:
        """Draw; ends within one denoising step of a stop. What was finished by then is kept, the rest is not."""
        work = session.active
        if not isinstance(work, Redrawing):
            return
        with self._chat.store.at_work(work.chat):
            problem = yield from self._redraw(session, work)
        yield (
            self._chat.messages(session),
            data_html("status", ""),
            self._dialog(session, work.ref, problem),
        )

    def _redraw(self, session: Session, work: Redrawing) -> Generator[Seen, None, str]:
        """Draw and keep what was drawn; returns what went wrong."""
        problem = ""
        try:
            yield from self._follow(session, work)
        except MiniGPT5Error as error:
            problem = sentence(error)
        except Exception as error:
            problem = failure(error, FAILED)
        finally:
            session.forming.pop(work.ref, None)
            if session.active is work:
                session.active = None
            self._keep(work)
        return problem

    def use(self, session: Session, about: object, composer: dict[str, Any] | None) -> Any:
        """Put the shown drawing of a picture among the pictures that will be sent."""
        picture = session.picture(*read_ref(about))
        path = str(self._chat.files.path(picture.drawings[picture.chosen].file))
        composer = composer or {}
        files = [*(composer.get("files") or []), path]
        return gr.update(value={"text": composer.get("text") or "", "files": files})

    def reorder(self, session: Session, order: object, composer: dict[str, Any] | None) -> Any:
        """The pictures that will be sent, in another order."""
        files = list((composer or {}).get("files") or [])
        if not isinstance(order, list) or sorted(map(str, order)) != sorted(map(str, range(len(files)))):
            return gr.update()
        moved = [files[int(index)] for index in order]
        return gr.update(value={"text": (composer or {}).get("text") or "", "files": moved})

    def restore_settings(self, session: Session, about: object, *controls: object) -> list[object]:
        """The settings in `about`, those of a picture that was dropped (or those before it), as the controls' values,
        and for the script what they were before and what is wrong with them."""
        before = dict(zip(CONTROLS, controls, strict=True))
        wanted = about if isinstance(about, dict) else {}
        values = {**before, **{name: wanted[name] for name in CONTROLS if name in wanted}}
        try:
            read_settings(*values.values())
        except MiniGPT5Error as error:
            return [*controls, data_html("restored", {"problem": sentence(error)})]
        told = {**before, "seed": "" if before["seed"] is None else str(before["seed"])}
        return [*values.values(), data_html("restored", {"before": told})]

    def _follow(self, session: Session, work: Redrawing) -> Iterator[Seen]:
        vokens = self._chat.files.vokens(session.picture(*work.ref).vokens)
        source = origin(self._chat.engine.name, work.tree, work.ref[0])
        shown = float("-inf")
        with closing(self._chat.engine.redraw(vokens, work.choices)) as events:
            for event in events:
                if session.active is not work or self._chat.store.closing.is_set():
                    return
                work.status.show(event)
                match event:
                    case ImageStarted(width=width, height=height):
                        work.forming.append({"url": frame_url(width, height), "label": ""})
                    case ImageProgress(index=index, step=step, num_inference_steps=steps, preview=preview):
                        work.forming[index] = {"url": preview_url(preview), "label": f"{step}/{steps}"}
                    case ImageFinished():
                        work.drawn.append(save_drawing(self._chat.files, event, source))
                        continue
                now = self._chat.clock()
                last = isinstance(event, ImageProgress) and event.index + 1 == len(work.choices)
                if last and now - shown >= PREVIEW_SECONDS:
                    shown = now
                    yield self._progress(session, work)

    def _progress(self, session: Session, work: Redrawing) -> Seen:
        if len(work.forming) == 1:
            seen = work.forming[0]
            session.forming[work.ref] = forming_part(
                seen["url"], f"drawing {seen['label']}", "A picture is being drawn again"
            )
        status = data_html("status", work.status.text)
        return self._chat.messages(session), status, self._dialog(session, work.ref)

    def _keep(self, work: Redrawing) -> None:
        """Add what was drawn to the picture, whatever the session shows by now.

        One drawing alone is shown at once; of several the user chooses.
        """
        node, part = work.tree.node(work.ref[0]), work.ref[1]
        picture = node.parts[part]
        if not work.drawn or not isinstance(picture, Picture):
            return
        known = list(picture.drawings)
        known += [drawing for drawing in work.drawn if drawing not in known]
        chosen = known.index(work.drawn[0]) if len(work.choices) == 1 else picture.chosen
        changed = Picture(picture.vokens, tuple(known), chosen)
        node = replace(node, parts=(*node.parts[:part], changed, *node.parts[part + 1 :]))
        work.tree.put(node)
        self._chat.store.save(work.owner, work.chat, node)

    def _dialog(self, session: Session, ref: PictureRef, problem: str = "") -> str:
        """The dialog's data for the script; nothing when the picture is in no message of the open chat."""
        try:
            picture, work = session.picture(*ref), session.active
        except MiniGPT5Error:
            return data_html("dialog", None)
        drawings = [
            {
                "url": file_url(self._chat.files.path(drawing.file)),
                "label": drawing_label(drawing),
                **{name: getattr(drawing, name) for name in SETTINGS},
                "seed": str(drawing.seed),
            }
            for drawing in picture.drawings
        ]
        return data_html(
            "dialog",
            {
                "node": ref[0],
                "part": ref[1],
                "prompt": origin(self._chat.engine.name, session.tree, ref[0]).prompt,
                "chosen": picture.chosen,
                "drawings": drawings,
                "forming": work.forming if isinstance(work, Redrawing) and work.ref == ref else [],
                "busy": work is not None,
                **self._ways,
                "problem": problem,
            },
        )


def ways_of(engine: ChatEngine) -> dict[str, Any]:
    """For the script: the schedulers as (name, value), and what the one of few steps has in place of the settings."""
    fast = engine.settled(GenerationOptions(scheduler="fast")) if "fast" in engine.schedulers else None
    numbers = ("guidance_scale", "num_inference_steps")
    return {
        "schedulers": scheduler_choices(engine.schedulers),
        "fast": fast and {name: getattr(fast, name) for name in numbers},
    }


def read_ref(about: object) -> PictureRef:
    """Which picture the script means; raises `RequestError` for what names none."""
    ref = read(REF, about, "picture")
    return ref.node, ref.part


def read_choice(choice: object) -> GenerationOptions:
    """One way to draw, as the script names it; raises `OptionError` for what the model cannot do."""
    if not isinstance(choice, dict) or set(choice) - set(SETTINGS):
        raise OptionError(f"got {choice!r:.80}, expected only {', '.join(SETTINGS)}")
    defaults = dict(zip(CONTROLS, default_values(), strict=True))
    return read_settings(*{**defaults, **choice}.values())
