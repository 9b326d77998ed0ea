"""The house rules that no import may break: floors, owners of heavy libraries, nothing hidden, sizes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*ROOT.glob("minigpt5/**/*.py"), *ROOT.glob("demo/**/*.py"), *ROOT.glob("app.py")])

# the longest matching module prefix decides; an import only ever goes down, or stays in its room
FLOORS = {
    "app": 8,
    "demo": 7,
    "minigpt5": 6,  # __init__ and __main__
    "minigpt5.loading": 6,
    "minigpt5.evaluation": 5,
    "minigpt5.training": 4,
    "minigpt5.serving": 4,
    "minigpt5.checkpoint": 3,
    "minigpt5.generation": 3,
    "minigpt5.data": 3,
    "minigpt5.model": 2,
    "minigpt5.prompt": 1,
    "minigpt5.images": 1,
    "minigpt5.events": 1,
    "minigpt5.config": 0,
    "minigpt5.options": 0,
    "minigpt5.errors": 0,
    "minigpt5.vokens": 0,
    "minigpt5.conversation": 0,
    "minigpt5.picture_files": 0,
}
# the rooms of the demo, among themselves: the same rule, and rooms of one floor are strangers
ROOMS_OF_DEMO = {
    "demo.site": 5,
    "demo.api": 4,
    "demo.picture": 4,
    "demo.inspector": 4,
    "demo.chat": 3,
    "demo.story": 3,
    "demo.arena": 3,
    "demo.guard": 2,
    "demo.zero_gpu": 1,
    "demo.store": 1,
    "demo.web": 1,
    "demo.engine_type": 0,
}
GROUND_FLOOR = [name for name, floor in FLOORS.items() if floor == 0]
OWNERS = {
    "gradio": ("demo",),
    "diffusers": ("minigpt5.model.diffusion", "minigpt5.checkpoint", "minigpt5.training"),
    "peft": ("minigpt5.model.language",),
    "accelerate": ("minigpt5.training",),
    "bitsandbytes": ("minigpt5.checkpoint",),
}
TORCH = {"torch", "transformers", "diffusers", "peft"}
BANNED_NAMES = {"utils", "helper", "helpers", "manager", "common", "misc", "deed", "deeds", "desk", "office"}
BANNED_MODULES = BANNED_NAMES | {"shelf", "letters", "shown", "mind", "brush"}
MAX_MODULES = 12  # of one folder of the demo
MAX_FUNCTION_LINES = 60
MAX_FILE_LINES = 400


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    while module not in FLOORS:
        module = module.rpartition(".")[0]
        assert module, "a module outside the house"
    return module


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports_of(path: Path) -> Iterator[str]:
    """Every imported module, `from a import b` as `a.b` where that is a module of the house."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                longer = f"{node.module}.{alias.name}"
                yield longer if is_module(longer) else str(node.module)


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))


@each_source
def test_imports_go_down_or_stay_in_their_room(path: Path) -> None:
    room = room_of(module_name(path))
    for imported in imports_of(path):
        if imported.split(".")[0] not in ("minigpt5", "demo", "app"):
            continue
        target = room_of(imported)
        lower = FLOORS[target] < FLOORS[room]
        both_ground = {room, target} <= set(GROUND_FLOOR)  # one room of many small files
        both_top = {room, target} <= {"minigpt5", "minigpt5.loading"} and target != "minigpt5"
        assert lower or target == room or both_ground or both_top, f"{room} imports {imported}"


def demo_room_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("demo/*/**/*.py")) + sorted(ROOT.glob("demo/*.py")), ids=module_name
)
def test_imports_inside_the_demo_go_down_or_stay_in_their_room(path: Path) -> None:
    room = demo_room_of(module_name(path))
    for imported in imports_of(path):
        target = demo_room_of(imported)
        if imported.split(".")[0] == "demo" and target != room:
            assert ROOMS_OF_DEMO[target] < ROOMS_OF_DEMO[room], f"{room} imports {imported}"


def test_no_folder_of_the_demo_has_more_modules_than_one_can_look_over() -> None:
    folders = {path.parent for path in ROOT.glob("demo/**/*.py")}
    assert not {folder for folder in folders if len(list(folder.glob("*.py"))) > MAX_MODULES}


@each_source
def test_the_page_knows_no_tensors_and_the_library_no_page(path: Path) -> None:
    imported = {name.split(".")[0] for name in imports_of(path)}
    if module_name(path).startswith("demo"):
        assert not imported & TORCH
    elif module_name(path).startswith("minigpt5"):
        assert not imported & {"gradio", "demo"}


@pytest.mark.parametrize("path", sorted(ROOT.glob("demo/**/*.py")), ids=lambda path: path.name)
def test_the_page_takes_only_public_names(path: Path) -> None:
    public = public_names()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "minigpt5":
            assert node.module == "minigpt5"
            assert {alias.name for alias in node.names} <= public


def public_names() -> set[str]:
    for node in tree_of(ROOT / "minigpt5/__init__.py").body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return set(ast.literal_eval(node.value))
    raise AssertionError("minigpt5 has no __all__")


@each_source
def test_the_ground_floor_knows_no_torch(path: Path) -> None:
    if module_name(path) in GROUND_FLOOR:
        assert not {name.split(".")[0] for name in imports_of(path)} & TORCH


@each_source
def test_each_heavy_library_is_imported_by_its_owner_only(path: Path) -> None:
    name = module_name(path)
    for imported in imports_of(path):
        owners = OWNERS.get(imported.split(".")[0])
        assert owners is None or name.startswith(owners), f"{name} imports {imported}"


@each_source
def test_imports_are_plain_and_on_top(path: Path) -> None:
    tree = tree_of(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert "*" not in {alias.name for alias in node.names}
            assert "TYPE_CHECKING" not in {alias.name for alias in node.names}
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = [child for child in ast.walk(node) if isinstance(child, ast.Import | ast.ImportFrom)]
            assert not inner, f"import inside {node.name}"


@each_source
def test_nothing_happens_at_import(path: Path) -> None:
    forbidden = {
        "os.environ",
        "os.getenv",
        "torch.cuda",
        "logging.basicConfig",
        "open",
        "print",
        "torch.load",
    }
    for node in tree_of(path).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.If):
            continue  # `if __name__ == "__main__"` is no import
        for call in (child for child in ast.walk(node) if isinstance(child, ast.Call)):
            name = ast.unparse(call.func)
            assert not any(name == word or name.startswith(f"{word}.") for word in forbidden), name


@each_source
def test_files_and_functions_are_small_and_annotated(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES
    tree = tree_of(path)
    assert ast.get_docstring(tree), "no module docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION_LINES, node.name
            assert node.returns is not None, f"{node.name} says not what it returns"
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
            assert not bare, f"{node.name}: {bare} without annotation"


@each_source
def test_no_name_is_a_word_for_anything_or_a_riddle(path: Path) -> None:
    assert not set(module_name(path).replace("_", ".").split(".")) & BANNED_MODULES
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            assert not set(node.name.lower().split("_")) & BANNED_NAMES, node.name
