"""Sockets that depend on what the host has."""

import importlib
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch

from tests.core.test_documentation import SocketType, host_that_records


def test_hosts_without_sockets_of_several_types_get_one_for_each_geometry():
    with host_that_records():
        geometry = importlib.import_module("documented_pack.nodes.geometry")
        inputs = geometry.geometry_inputs(SimpleNamespace())
        assert [(socket.name, socket.fields["optional"]) for socket in inputs] == [
            ("da3_geometry", True),
            ("moge_geometry", True),
        ]
        (one,) = geometry.geometry_inputs(SimpleNamespace(MultiType=SocketType))
        assert one.name == "geometry" and len(one.fields["types"]) == 2


class NewerSchema(SimpleNamespace):
    """A schema of hosts that list essential nodes."""

    def __init__(self, *, essentials_category: str | None = None, **fields: Any) -> None:
        super().__init__(essentials_category=essentials_category, **fields)


def test_hosts_that_list_essential_nodes_are_told_of_the_renderers():
    with host_that_records():
        nodes = importlib.import_module("documented_pack.nodes").NODES
        assert not any(hasattr(node.define_schema(), "essentials_category") for node in nodes)
        host_io = importlib.import_module("documented_pack.nodes.lens").io
        with mock.patch.object(type(host_io), "Schema", NewerSchema):
            schemas = [node.define_schema() for node in nodes]
        told = {schema.node_id: schema.essentials_category for schema in schemas}
        assert {node_id for node_id, heading in told.items() if heading == "Video Tools"} == {
            "AnyToBokehLensBlur",
            "AnyToBokehVideo",
        }


class Pinning:
    """A patcher of newer hosts, which pins parameters and must be told before they are moved."""

    def __init__(self) -> None:
        self.model = torch.nn.Sequential(torch.nn.GroupNorm(1, 2), torch.nn.Linear(2, 2))
        # The host's own layers have this, and stay where the host puts them.
        setattr(self.model[1], "comfy_cast_weights", True)  # noqa: B010
        self.load_device = torch.device("cpu")
        self.pinned = {"0.weight", "0.bias", "1.weight"}

    def unpin_weight(self, key: str) -> None:
        self.pinned.remove(key)


def test_what_a_newer_host_pinned_is_let_go_before_it_is_moved():
    with host_that_records():
        host = importlib.import_module("documented_pack.nodes.host")
        loaded: list[tuple[list[Any], int]] = []

        def load(models: list[Any], memory_required: int) -> None:
            loaded.append((models, memory_required))

        host.comfy.model_management = SimpleNamespace(load_models_gpu=load)
        newer, older = Pinning(), Pinning()
        del older.pinned
        host.load_models([newer, older], 5)
    assert loaded == [([newer, older], 5)]
    assert newer.pinned == {"1.weight"}


def test_newer_hosts_can_tell_how_large_results_are():
    with host_that_records():
        sockets = importlib.import_module("documented_pack.nodes.sockets")
        values, points, latents = torch.zeros(3), torch.zeros(3, 2), torch.zeros(8, 4, 2, 2)
        focus = sockets.FocusPull(values, points)
        sampler = importlib.import_module("documented_pack.nodes.sampler")
        windows = sampler.SizedWindows([latents, latents], [], None, 0.18215, points)
        assert [id(tensor) for tensor in focus._comfy_cache_tensors()] == [id(values), id(points)]
        assert len(sockets.FocusPull(values)._comfy_cache_tensors()) == 1
        assert [tensor.numel() for tensor in windows._comfy_cache_tensors()] == [128, 128, 6]
