"""No unmasked picture gets out: only a few rooms know a raw frame, and one place makes a masked one."""

from __future__ import annotations

import ast

import pytest

from source_trees import annotations, called, functions, names_in, trees

RAW_ROOMS = {"decode", "detect", "mask", "pipeline"}
RAW_DEFINITION = "model/vision.py"
# Whatever turns pixels into a file, with the places that may: the masked still, keyframes of masked
# files, and encoders of masked or made-up video.
PICTURE_WRITERS = {
    "imwrite": set[str](),
    "imwritemulti": set[str](),
    "imencode": {"mask/stills.py", "playback/thumbnails.py"},
    "imencodemulti": set[str](),
    "imshow": set[str](),
    "VideoWriter": set[str](),
    "save": set[str](),
    "savez": set[str](),
    "tofile": set[str](),
    "to_image": set[str](),
    "fromarray": set[str](),
    "to_rgb": set[str](),
}


def offences(tree: ast.Module) -> list[str]:
    """Functions of `tree` that accept or return a raw frame."""
    return [function.name for function in functions(tree) if any("Frame" in names_in(annotation) for annotation in annotations(function))]


def test_no_signature_outside_the_masking_rooms_knows_a_raw_frame() -> None:
    found = {path: names for path, tree in trees().items() if path.split("/")[0] not in RAW_ROOMS and (names := offences(tree))}
    assert found == {}


def test_no_module_outside_the_masking_rooms_imports_a_raw_frame() -> None:
    importers = {
        path
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "lamppost.model.vision" and any(name.name == "Frame" for name in node.names)
    }
    assert importers
    assert {path.split("/")[0] for path in importers} <= RAW_ROOMS


@pytest.mark.parametrize(
    "signature",
    [
        "def show(frame: Frame): ...",
        "def take() -> list[Frame]: ...",
        "def give(*, frame: 'Frame | None' = None): ...",
        "def f(*a: v.Frame): ...",
    ],
)
def test_a_raw_frame_in_a_signature_is_found(signature: str) -> None:
    assert offences(ast.parse(signature))


def test_a_masked_frame_in_a_signature_is_fine() -> None:
    assert not offences(ast.parse("def show(frame: MaskedFrame) -> VideoFrame: ..."))


def test_masked_pictures_are_made_in_the_masking_room_alone() -> None:
    makers = {(path, name) for path, tree in trees().items() for name, _ in called(tree) if name in {"MaskedFrame", "MaskedStill"}}
    assert {name for _, name in makers} == {"MaskedFrame", "MaskedStill"}
    assert {path for path, _ in makers} == {"mask/paint.py", "mask/stills.py"}


def imported(tree: ast.AST) -> set[tuple[str | None, str]]:
    return {(node.module, name.name) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for name in node.names}


def test_who_handles_masked_pictures_does_not_exchange_their_pixels() -> None:
    handlers = {path: imported(tree) for path, tree in trees().items() if ("lamppost.model.vision", "MaskedFrame") in imported(tree)}
    assert handlers
    assert [path for path, names in handlers.items() if ("dataclasses", "replace") in names] == []


def test_masked_pictures_are_drawn_on_by_what_knows_no_raw_frame() -> None:
    drawing = {path for path, tree in trees().items() for name, _ in called(tree) if name == "draw_on"}
    assert drawing == {"mask/annotate.py"}
    for path in ("mask/annotate.py", "mask/strokes.py", "mask/plates.py"):
        assert ("lamppost.model.vision", "Frame") not in imported(trees()[path])
        assert offences(trees()[path]) == []


def test_memory_that_was_frozen_is_thawed_in_one_place() -> None:
    thawing = {
        path
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and node.value.value is True
        if any(isinstance(target, ast.Attribute) and target.attr == "writeable" for target in node.targets)
    }
    assert thawing == {"mask/paint.py"}


@pytest.mark.parametrize("writer", sorted(PICTURE_WRITERS))
def test_pictures_are_written_in_few_places(writer: str) -> None:
    places = {path for path, tree in trees().items() for name, _ in called(tree) if name == writer}
    assert places <= PICTURE_WRITERS[writer]


def test_video_is_encoded_from_masked_or_made_up_pictures_alone() -> None:
    encoders: set[str] = set()
    for path, tree in trees().items():
        for name, call in called(tree):
            modes = [argument.value for argument in call.args[1:2] if isinstance(argument, ast.Constant)]
            if name == "create" and modes == ["w"]:
                encoders.add(path)
    assert encoders == {"mask/encoder.py", "ingest/simulation.py"}
    (encode,) = [function for function in functions(trees()["mask/encoder.py"]) if function.name == "encode"]
    accepted = set().union(*(names_in(annotation) for annotation in annotations(encode)))
    assert "MaskedFrame" in accepted
    assert "Frame" not in accepted


def test_packets_of_masked_pictures_are_made_by_the_masked_encoder_alone() -> None:
    makers = {path for path, tree in trees().items() for name, _ in called(tree) if name == "MaskedPacket"}
    assert makers == {"mask/encoder.py"}
    exchangers = {
        path
        for path, tree in trees().items()
        if ("lamppost.model.media", "MaskedPacket") in imported(tree) and ("dataclasses", "replace") in imported(tree)
    }
    assert exchangers == set()


def test_what_is_published_live_is_made_of_masked_packets_alone() -> None:
    # A fragment is made of a masked packet in one place, and published in one, which takes no bytes and no fragment.
    assert {path for path, tree in trees().items() for name, _ in called(tree) if name == "LiveFragment"} == {"record/live.py"}
    assert {path for path, tree in trees().items() for name, _ in called(tree) if name == "LiveMuxer"} == {"pipeline/live.py"}
    public = {
        function.name: set[str]().union(*(names_in(annotation) for annotation in annotations(function)))
        for function in functions(trees()["pipeline/live.py"])
        if not function.name.startswith("_")
    }
    assert public["publish"] == {"MaskedPacket", "StreamParameters"}
    assert not {"Packet", "LiveFragment", "bytes", "Frame", "MaskedFrame"} & set[str]().union(*public.values())
    publishers = {path for path, tree in trees().items() for name, _ in called(tree) if name == "publish"}
    assert publishers == {"pipeline/masked_run.py", "notify/mqtt.py"}  # the latter to a broker, and documents alone: see below


def test_who_tells_others_knows_no_picture_but_the_file_of_a_masked_one() -> None:
    modules = {(path, module) for path, tree in trees().items() if path.startswith("notify/") for module, _ in imported(tree)}
    assert modules
    assert {module for _, module in modules if module and module.startswith("lamppost.model.vision")} == set()
    assert {path for path, tree in trees().items() if path.startswith("notify/") and "AttachFile" in names_in(tree)} == {
        "notify/services.py"
    }


def test_who_plays_back_reads_masked_files_alone() -> None:
    # The one room that finds files for it selects masked ones; what it makes pictures of are such files, and the newest fragment of
    # what an analyst publishes live, for the one who reads its socket.
    rooms = {path: tree for path, tree in trees().items() if path.startswith("playback/")}
    modules = {module for tree in rooms.values() for module, _ in imported(tree) if module and module.startswith("lamppost.store")}
    assert modules == {"lamppost.store.footage", "lamppost.store.intervals"}
    for path, tree in (*rooms.items(), ("store/footage.py", trees()["store/footage.py"])):
        assert not {"SEALED", "Rendition"} & {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}, path
    (shown,) = [function for function in functions(rooms["playback/thumbnails.py"]) if function.name == "make_jpeg"]
    assert set[str]().union(*(names_in(annotation) for annotation in annotations(shown))) == {"SegmentParts", "Part", "int", "bytes"}
    assert {path for path, tree in trees().items() for name, _ in called(tree) if name == "jpeg_of"} == {
        "playback/thumbnails.py",
        "playback/stills.py",
    }
    (live,) = [tree for path, tree in trees().items() if ("lamppost.playback.stills", "picture_of") in imported(tree)]
    assert live is trees()["api/live.py"]


def test_an_analyst_has_no_other_socket_that_pictures_could_take() -> None:
    listeners = {path for path, tree in trees().items() for name, _ in called(tree) if name == "LocalListener"}
    assert listeners == {"pipeline/live.py"}
    assert {path for path, tree in trees().items() for name, _ in called(tree) if name == "Subscriber"} == {"pipeline/live.py"}


def test_no_command_reaches_a_shell() -> None:
    for path, tree in trees().items():
        for name, call in called(tree):
            shell = [keyword for keyword in call.keywords if keyword.arg == "shell"]
            assert not shell, f"{path}:{call.lineno}"
            is_os = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name) and call.func.value.id == "os"
            assert not (is_os and name in {"system", "popen"}), f"{path}:{call.lineno}"
            assert name not in {"getoutput", "getstatusoutput", "create_subprocess_shell"}, f"{path}:{call.lineno}"
