from collections.abc import Sequence

from .io import FolderType

class SavedResult:
    def __init__(self, filename: str, subfolder: str, type: FolderType) -> None: ...

class PreviewVideo:
    def __init__(self, values: Sequence[SavedResult]) -> None: ...
