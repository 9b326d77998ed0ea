"""The demo from the command line: flags -> load -> page. Also what a Space runs.

python app.py --model weights/storybook --port 7860
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import platformdirs

import minigpt5
from demo.arena.comparisons import ArenaError
from demo.arena.page import arena_launch_options, create_arena
from demo.guard.gate import Protection
from demo.guard.hosts import hosts_of
from demo.site import create_demo, launch_options
from demo.store import ChatStore, Retention
from demo.store.private_files import PRIVATE, drop_scratch
from demo.zero_gpu import on_lent_gpu

DEFAULT_MODEL = "weights/storybook"
SPACE_VOLUME = Path("/data")  # where a Space has its bucket, if it has one
SPACE_NAMES = ("huggingface.co", "*.hf.space")
SPACE_FRAMES = ("https://huggingface.co", "https://*.hf.space")
LAST_SECONDS = 6.0  # between all being kept and the end of the process
OFFLINE = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


def build_parser() -> argparse.ArgumentParser:
    """The command line of the demo."""
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="A chat that writes and draws: MiniGPT-5 in your browser. Nothing leaves this machine.",
        epilog="example: python app.py --quantize 4bit --host 0.0.0.0 --port 8000",
    )
    _add_model_flags(parser)
    _add_page_flags(parser)
    _add_chat_flags(parser)
    _add_limits(parser)
    return parser


def _add_model_flags(parser: argparse.ArgumentParser) -> None:
    model = parser.add_argument_group("model")
    model.add_argument(
        "--model",
        default=os.environ.get("MINIGPT5_MODEL", DEFAULT_MODEL),
        metavar="PATH",
        help="model folder (default: $MINIGPT5_MODEL, or the embedded one: %(default)s)",
    )
    model.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: %(default)s)")
    model.add_argument(
        "--dtype",
        default="auto",
        choices=("auto", "float32", "bfloat16", "float16"),
        help="precision of the weights",
    )
    model.add_argument(
        "--compile", action="store_true", help="start minutes later and answer faster, for a GPU"
    )
    model.add_argument(
        "--quantize",
        default=os.environ.get("MINIGPT5_QUANTIZE") or None,
        choices=("4bit", "8bit"),
        help="quantize the language model: less memory, on a CPU at the cost of speed, the more so with 8bit "
        "(default: $MINIGPT5_QUANTIZE, or not at all)",
    )
    model.add_argument(
        "--offload-vision",
        action="store_true",
        help="keep the ViT and the Q-Former on the CPU, for a small GPU",
    )
    model.add_argument(
        "--painter",
        metavar="FOLDER",
        help="draw with the UNet and VAE of a diffusers folder for Stable Diffusion 2.1's conditions, such as SD-Turbo",
    )


def _add_page_flags(parser: argparse.ArgumentParser) -> None:
    page = parser.add_argument_group("page")
    page.add_argument(
        "--host",
        default=os.environ.get("GRADIO_SERVER_NAME", "0.0.0.0" if on_space() else "127.0.0.1"),
        help="address to listen on (default: %(default)s); 0.0.0.0 opens it to the network",
    )
    page.add_argument(
        "--port",
        type=_port,
        default=os.environ.get("GRADIO_SERVER_PORT", "7860"),
        help="port to listen on (default: %(default)s)",
    )
    page.add_argument(
        "--allowed-host",
        action="append",
        default=list(filter(None, os.environ.get("MINIGPT5_ALLOWED_HOSTS", "").split(","))),
        metavar="NAME",
        help="also answer under this name, as behind a proxy; *.NAME for all below it, * for any; may be repeated "
        "(default: $MINIGPT5_ALLOWED_HOSTS, this machine's names and the address listened on)",
    )
    page.add_argument(
        "--allowed-frame",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin show the app in a frame, as https://example.org; may be repeated "
        "(default: none but its own; on a Space those of Hugging Face)",
    )
    page.add_argument("--share", action="store_true", help="also open a public gradio.live address")
    page.add_argument("--mcp", action="store_true", help="also serve the endpoints as tools of an MCP server")
    page.add_argument(
        "--arena", type=Path, metavar="RESULTS", help="instead of the chat: compare replies from this folder"
    )
    page.add_argument("--votes", metavar="URL", help="database of the arena (default: SQLite in RESULTS)")


def _add_limits(parser: argparse.ArgumentParser) -> None:
    limits = parser.add_argument_group("limits")
    limits.add_argument(
        "--max-users",
        type=_positive,
        default=1,
        metavar="N",
        help="replies made at once (default: %(default)s)",
    )
    limits.add_argument(
        "--queue",
        type=_positive,
        default=32,
        metavar="N",
        help="requests that may wait (default: %(default)s)",
    )
    limits.add_argument(
        "--max-file-mb",
        type=_positive,
        default=10,
        metavar="MB",
        help="largest upload (default: %(default)s)",
    )


def _add_chat_flags(parser: argparse.ArgumentParser) -> None:
    chats = parser.add_argument_group("chats")
    chats.add_argument(
        "--data",
        type=Path,
        default=None,
        metavar="DIR",
        help=f"folder of the chats and their pictures (default: {default_data()})",
    )
    chats.add_argument(
        "--database",
        default=None,
        metavar="URL",
        help="keep the chats in another database, as SQLAlchemy names it (default: $DATABASE_URL, or SQLite in --data)",
    )
    chats.add_argument("--ephemeral", action="store_true", help="keep nothing: all chats go with the process")
    chats.add_argument(
        "--keep-days",
        type=_amount,
        default=None,
        metavar="N",
        help="delete chats and stories that nobody touched for N days",
    )
    chats.add_argument(
        "--keep-gb",
        type=_amount,
        default=None,
        metavar="N",
        help="delete the oldest chats and stories when the pictures of all take more than N GB",
    )
    chats.add_argument(
        "--keep-mb-per-person",
        type=_amount,
        default=500 if on_space() else None,
        metavar="N",
        help="refuse more of a browser whose chats and stories take more than N MB (default: no limit; on a Space 500)",
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Load the model and serve the page until interrupted; 1 when the model cannot be loaded."""
    flags = build_parser().parse_args(arguments)
    os.umask(PRIVATE)
    for name, value in OFFLINE.items():
        os.environ.setdefault(name, value)
    if flags.arena:
        return _serve_arena(flags)
    print(f"Loading {flags.model} ...", flush=True)
    try:
        engine = minigpt5.load(
            flags.model,
            device=flags.device,
            dtype=flags.dtype,
            quantize=flags.quantize,
            offload_vision=flags.offload_vision,
            painter=flags.painter,
            report=lambda plan: print(plan, flush=True),
        )
        if flags.compile:
            print("Compiling ...", flush=True)
            engine.compile()
    except minigpt5.MiniGPT5Error as error:
        print(f"Cannot load {flags.model}: {error}", file=sys.stderr)
        return 1
    try:
        store = open_store(flags)
    except (minigpt5.MiniGPT5Error, OSError) as error:
        print(f"Cannot keep chats: {error}", file=sys.stderr)
        return 1
    demo = create_demo(on_lent_gpu(engine), store=store, max_users=flags.max_users, queue_size=flags.queue)
    options = launch_options(demo, protection_of(flags)) | {
        "max_file_size": f"{flags.max_file_mb}mb",
        "mcp_server": flags.mcp,
    }
    where = {"server_name": flags.host, "server_port": flags.port, "share": flags.share}
    serve(demo, store, where | options)
    return 0


def serve(demo: Any, store: ChatStore, options: Mapping[str, object]) -> None:
    """Answer until SIGTERM or SIGINT; then take no more, keep what is being made, and end all streams."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    demo.launch(prevent_thread_lock=True, **options)
    while not ended.wait(0.5):  # on Windows a wait without end hears no signal
        pass
    print("Going down ...", flush=True)
    if not store.close():
        print("What was being made took too long: it is kept as far as it was shown", file=sys.stderr)
    # all is kept by now, so neither a connection that nobody ends nor a thread may hold the process
    last = threading.Timer(LAST_SECONDS, os._exit, (0,))
    last.daemon = True
    last.start()
    drop_scratch()
    with suppress(Exception):  # Gradio's own tasks, cut short
        demo.close(verbose=False)


def default_data() -> Path:
    """Where this machine keeps the data of its user's programs."""
    return platformdirs.user_data_path("minigpt5", appauthor=False)


def on_space() -> bool:
    """Whether this runs as a Space of Hugging Face, where a visitor comes from outside the machine."""
    return bool(os.environ.get("SPACE_ID"))


def protection_of(flags: argparse.Namespace) -> Protection:
    """Under which names the app answers, and who may show it in a frame."""
    names, frames = list(flags.allowed_host), list(flags.allowed_frame)
    if flags.share:
        names.append("*.gradio.live")
    if on_space():
        names += SPACE_NAMES
        frames += SPACE_FRAMES
    return Protection(hosts_of(flags.host, names, proxied=on_space()), tuple(frames))


def open_store(flags: argparse.Namespace) -> ChatStore:
    """The chats that the flags ask for, those beyond their limits deleted."""
    url = flags.database or os.environ.get("DATABASE_URL")
    if on_space() and flags.data is None:
        flags.data = SPACE_VOLUME if SPACE_VOLUME.is_mount() else None
    nowhere_to_keep = on_space() and flags.data is None and url is None
    if flags.ephemeral or nowhere_to_keep:
        return ChatStore()
    retention = Retention(flags.keep_days, flags.keep_gb, flags.keep_mb_per_person)
    store = ChatStore.in_folder(flags.data or default_data(), url, retention)
    store.tidy()
    return store


def _amount(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"got {number:g}, expected more than 0")
    return number


def _serve_arena(flags: argparse.Namespace) -> int:
    """Needs no model; 1 when the folder has no two systems to compare."""
    try:
        arena = create_arena(flags.arena, flags.votes)
    except ArenaError as error:
        print(f"Cannot open the arena: {error}", file=sys.stderr)
        return 1
    options = arena_launch_options(arena, protection_of(flags))
    arena.launch(server_name=flags.host, server_port=flags.port, share=flags.share, **options)
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"got {number}, expected 1 or more")
    return number


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"got {number}, expected 0 to 65535")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
