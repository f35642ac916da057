"""What in a folder can be read as depth, for a list to choose from."""

import os
from pathlib import Path

from ..video_io.codecs import VIDEO_ENDINGS
from .files import ARRAYS, files_of_folder, natural_order, suffix_of
from .stills import STILLS

_ENDINGS = {*STILLS, *ARRAYS, *VIDEO_ENDINGS}


def depth_names(folder: Path) -> list[str]:
    """Return the names of depth maps in a folder, in natural order.

    Args:
        folder: where to look; one that is not there has none.

    Returns:
        Files by their name, and folders that hold maps with a slash behind it: `maps.npz`, `maps/`.
    """
    names = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    if _holds_maps(Path(entry.path)):
                        names.append(f"{entry.name}/")
                elif suffix_of(Path(entry.name)) in _ENDINGS:
                    names.append(entry.name)
    except OSError:
        return names
    # Names that a text cannot hold reach no browser.
    return sorted((name for name in names if name.isprintable()), key=natural_order)


def _holds_maps(folder: Path) -> bool:
    try:
        return bool(files_of_folder(folder))
    except OSError:
        return False
