"""Exceptions as sentences: a user's mistake has its own words, anything else gets a number that is also in the log.

Called wherever an error reaches a user: the handlers, `OpenStories`, the gate, and `ToldBlocks` for all of Gradio's
functions.
"""

import logging
import secrets
from typing import Any

import gradio as gr

from demo.guard.input.uploads import verify_files
from minigpt5 import MiniGPT5Error

MAX_SENTENCE = 500
UNEXPECTED = "Something went wrong on this side (number {number}): try again."
UNFIT = "The values that were sent are not what this function takes (number {number})."
REFUSED = "minigpt5.refused"  # in a request's scope: what it asked for was its own mistake

log = logging.getLogger(__name__)


def sentence(error: MiniGPT5Error) -> str:
    """The error as a sentence for the page."""
    words = str(error).strip() or "That did not work"
    if len(words) > MAX_SENTENCE:
        words = words[:MAX_SENTENCE].rstrip() + "…"
    if words.split()[0].isalpha():  # not the name of a file or an option
        words = words[0].upper() + words[1:]
    return words + ("" if words.endswith((".", "!", "?", "…")) else ".")


def failure(error: BaseException, sentence: str = UNEXPECTED) -> str:
    """`sentence` about an error that nobody expected, its {number} filled; the log has the error under that number."""
    number = secrets.token_hex(4)
    log.error("failure %s: %s", number, type(error).__name__, exc_info=error)
    return sentence.format(number=number)


class ToldBlocks(gr.Blocks):
    """Pages whose every function answers with its result or with a sentence, however it is called.

    Files among the inputs must have been uploaded.
    """

    async def process_api(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        """As Gradio's; raises `gr.Error` and nothing else."""
        try:
            return await super().process_api(*arguments, **named)
        except gr.Error as error:
            error.print_exception = False
            _mark(named.get("request"))
            raise
        except MiniGPT5Error as error:
            _mark(named.get("request"))
            raise gr.Error(sentence(error), print_exception=False) from error
        except Exception as error:
            raise gr.Error(failure(error), print_exception=False) from error

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], *arguments: Any, **named: Any
    ) -> list[Any]:
        """As Gradio's; what a component cannot take is the caller's mistake."""
        verify_files(inputs, "files")
        try:
            return await super().preprocess_data(block_fn, inputs, *arguments, **named)
        except (gr.Error, MiniGPT5Error):
            raise
        except Exception as error:
            raise gr.Error(failure(error, UNFIT), print_exception=False) from error


def _mark(request: Any) -> None:
    scope = getattr(getattr(request, "request", None), "scope", None)
    if scope is not None:
        scope[REFUSED] = True
