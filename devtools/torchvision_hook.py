"""Loaded at interpreter start: declares the operators whose absence keeps torchvision from importing.

A torchvision built for another torch registers no compiled operators and then fails on
`torchvision::nms` while it is imported. The declarations are enough for transforms and resizing, which
is all the host uses. They are made on the first import of torchvision, so that other programs of the
environment do not pay for importing torch.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

_libraries: list[Any] = []  # torch forgets the declarations when their library object is collected


class _DeclareOperators(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            self.declare()
        return None

    @staticmethod
    def declare() -> None:
        import torch

        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _libraries.append(library)


sys.meta_path.insert(0, _DeclareOperators())
