"""The host's folders: input, output, temporary files and models."""

from pathlib import Path
from tempfile import TemporaryFile

import folder_paths

from ...bokeh_core.disk.typed_paths import find_path

# Our own folder below the host's for models, output and temporary files; models can be moved elsewhere under
# this name.
OWN_FOLDER = "any_to_bokeh"
DEPTH_FOLDER = "depth_anything"


def input_path(text: str) -> Path:
    """Resolve a user's path: absolute, or relative to the host's input folder.

    Names as the host's own widgets write them, `clip.mp4 [output]`, are read too.

    Raises:
        ValueError: the text is no path, or nothing exists there; see `typed_paths.find_path`.
    """
    places = {
        "input": Path(folder_paths.get_input_directory()),
        "output": Path(folder_paths.get_output_directory()),
        "temp": Path(folder_paths.get_temp_directory()),
    }
    return find_path(text, places["input"], places, "the host's input folder")


def output_folder() -> Path:
    """Return our folder in the host's output folder; it exists afterwards, and can be written to.

    Raises:
        ValueError: it cannot.
    """
    return _own_folder(Path(folder_paths.get_output_directory()), "--output-directory")


def temporary_folder() -> Path:
    """Return our folder among the host's temporary files, which the host clears when it starts.

    Raises:
        ValueError: it cannot be written to.
    """
    return _own_folder(Path(folder_paths.get_temp_directory()), "--temp-directory")


def temporary_file(name: str) -> dict[str, str]:
    """Return how front ends ask for a file of `temporary_folder`."""
    return {"filename": name, "subfolder": OWN_FOLDER, "type": "temp"}


def _own_folder(parent: Path, option: str) -> Path:
    folder = parent / OWN_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Permissions alone do not tell: network shares and full disks refuse as well.
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ValueError(
            f"Nothing can be written to {folder} ({error.strerror}); make it writable, or start ComfyUI with "
            f"another {option}."
        ) from error
    return folder


def input_folder() -> Path:
    """Return the host's input folder, into which browsers upload."""
    return Path(folder_paths.get_input_directory())


def own_model_folders() -> list[Path]:
    """Return our model folders, registered with the host beside its own."""
    default = Path(folder_paths.models_dir) / OWN_FOLDER
    folder_paths.add_model_folder_path(OWN_FOLDER, str(default))
    return [Path(folder) for folder in folder_paths.get_folder_paths(OWN_FOLDER)]


def depth_model_folders() -> list[Path]:
    """Return the folders with depth models, registered with the host beside its own; ours among them."""
    folder_paths.add_model_folder_path(DEPTH_FOLDER, str(Path(folder_paths.models_dir) / DEPTH_FOLDER))
    return [*map(Path, folder_paths.get_folder_paths(DEPTH_FOLDER)), *own_model_folders()]


def shared_models(folder_name: str) -> list[str]:
    """Return the names of the files in one of the host's model folders, as its dropdowns show them."""
    return list(folder_paths.get_filename_list(folder_name))


def model_path(folder_name: str, name: str) -> Path | None:
    """Return where a model of a dropdown lies: in the host's folder, else in ours; None if it is gone."""
    shared = folder_paths.get_full_path(folder_name, name)
    if shared is not None:
        return Path(shared)
    return next((root / name for root in own_model_folders() if (root / name).exists()), None)
