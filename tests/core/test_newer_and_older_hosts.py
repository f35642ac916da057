"""Sockets that depend on what the host has."""

import importlib
from enum import Enum
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
import torch

from tests.core.test_documentation import Socket, SocketType, host_that_records


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


class NewerDisplay(str, Enum):
    """How hosts with sliders over colours draw numbers."""

    number = "number"
    gradient_slider = "gradientslider"


class NewerFloat(SocketType):
    """FLOAT of these hosts."""

    @staticmethod
    def Input(  # noqa: N802
        name: str,
        gradient_stops: list[dict[str, Any]] | None = None,
        display_mode: NewerDisplay | None = None,
        **fields: Any,
    ) -> Socket:
        return Socket(name, {**fields, "gradient_stops": gradient_stops, "display_mode": display_mode})


def numbers_drawn_over_greys(node_name: str, of_host: dict[str, Any]) -> dict[str, Any]:
    with host_that_records():
        nodes = importlib.import_module("documented_pack.nodes")
        (node,) = [node for node in nodes.NODES if node.__name__ == node_name]
        host_io = importlib.import_module("documented_pack.nodes.newer_host").io
        with mock.patch.multiple(type(host_io), **of_host, create=True):
            inputs = node.define_schema().inputs
    return {one.name: one.fields for one in inputs if one.fields.get("gradient_stops")}


@pytest.mark.parametrize(
    ("node_name", "widget", "default"),
    [("FocusAtValue", "focal_disparity", 0.5), ("LensBlur", "highlight_threshold", 0.8)],
)
def test_newer_hosts_draw_disparity_and_brightness_as_sliders_over_greys(
    node_name: str, widget: str, default: float
):
    newer = numbers_drawn_over_greys(node_name, {"Float": NewerFloat, "NumberDisplay": NewerDisplay})
    assert newer.keys() == {widget}
    black, white = {"offset": 0.0, "color": [0, 0, 0]}, {"offset": 1.0, "color": [255, 255, 255]}
    assert newer[widget]["gradient_stops"] == [black, white]
    assert newer[widget]["display_mode"] is NewerDisplay.gradient_slider
    assert newer[widget]["default"] == default
    older = {"NumberDisplay": [NewerDisplay.number]}
    assert numbers_drawn_over_greys(node_name, older) == {}
    # A host with the stops, but without the slider.
    assert numbers_drawn_over_greys(node_name, {"Float": NewerFloat, **older}) == {}


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
        host = importlib.import_module("documented_pack.nodes.host.models")
        loaded: list[tuple[list[Any], int]] = []

        def load(models: list[Any], memory_required: int) -> None:
            loaded.append((models, memory_required))

        host.comfy.model_management = SimpleNamespace(load_models_gpu=load)
        newer, older = Pinning(), Pinning()
        del older.pinned
        host.load_models([newer, older], 5)
    assert loaded == [([newer, older], 5)]
    assert newer.pinned == {"1.weight"}


class Dynamic(Pinning):
    """A patcher of hosts that bring weights as they are read."""

    def is_dynamic(self) -> bool:
        return True

    def unpin_weight(self, key: str) -> None:
        raise AssertionError(f"{key} is the host's to let go of")


def test_the_host_makes_room_for_a_frame_and_says_what_is_free_then():
    freed: list[tuple[int, str]] = []
    with host_that_records():
        host = importlib.import_module("documented_pack.nodes.host.device")
        host.comfy.model_management = SimpleNamespace(
            get_torch_device=lambda: torch.device("cuda"),
            free_memory=lambda needed, device: freed.append((needed, device.type)),
            get_free_memory=lambda device: 5e9 if freed else 1e9,
        )
        assert host.room(4_000_000_000) == 5_000_000_000
    assert freed == [(4_000_000_000, "cuda")]


def test_what_a_host_that_brings_weights_as_they_are_read_pinned_is_left_to_it():
    with host_that_records():
        host = importlib.import_module("documented_pack.nodes.host.models")
        host.comfy.model_management = SimpleNamespace(load_models_gpu=lambda models, memory_required: None)
        dynamic, plain = Dynamic(), Pinning()
        # Newer hosts' plain patchers can be asked, too.
        setattr(plain, "is_dynamic", lambda: False)  # noqa: B010
        for patcher in (dynamic, plain):
            patcher.load_device = torch.device("meta")
        host.load_models([dynamic, plain], 5)
    assert dynamic.pinned == {"0.weight", "0.bias", "1.weight"}
    assert plain.pinned == {"1.weight"}
    # What has no way to follow the host's own layers goes to the device in any case.
    for patcher in (dynamic, plain):
        devices = {name: value.device.type for name, value in patcher.model.named_parameters()}
        assert devices == {"0.weight": "meta", "0.bias": "meta", "1.weight": "cpu", "1.bias": "cpu"}


class Kept:
    """What a host hands out for a model in its keeping."""

    def __init__(
        self, model: torch.nn.Module, load_device: torch.device, offload_device: torch.device
    ) -> None:
        self.model, self.devices = model, (load_device, offload_device)


class KeptDynamically(Kept):
    """The same of newer hosts that bring weights as they are read."""


class CastLinear(torch.nn.Linear):
    """A layer as the host has it."""

    comfy_cast_weights = False


@pytest.mark.parametrize("newer", [False, True])
def test_models_are_kept_as_the_host_keeps_its_own(newer: bool):
    with host_that_records():
        host = importlib.import_module("documented_pack.nodes.host.models")
        patchers = {"ModelPatcher": Kept, **({"CoreModelPatcher": KeptDynamically} if newer else {})}
        host.comfy.model_patcher = SimpleNamespace(**patchers)
        layers = SimpleNamespace(**{name: getattr(torch.nn, name) for name in host.STREAMED_LAYERS})
        layers.Linear = CastLinear
        host.comfy.ops = SimpleNamespace(disable_weight_init=layers)
        device, offload, vae_device, vae_offload = (torch.device("cuda", number) for number in range(4))
        host.comfy.model_management = SimpleNamespace(
            get_torch_device=lambda: device,
            unet_offload_device=lambda: offload,
            vae_device=lambda: vae_device,
            vae_offload_device=lambda: vae_offload,
        )
        unet, vae = torch.nn.Sequential(torch.nn.Linear(2, 2)), torch.nn.Sequential(torch.nn.ReLU())
        kept = [host.manage_unet(unet), host.manage_vae(vae)]
    assert [type(each) for each in kept] == [KeptDynamically if newer else Kept] * 2
    assert [each.devices for each in kept] == [(device, offload), (vae_device, vae_offload)]
    assert kept[0].model is unet and kept[1].model is vae
    assert type(unet[0]) is CastLinear


def test_newer_hosts_can_tell_how_large_results_are():
    with host_that_records():
        sockets = importlib.import_module("documented_pack.nodes.sockets")
        values, points, latents = torch.zeros(3), torch.zeros(3, 2), torch.zeros(8, 4, 2, 2)
        focus = sockets.FocusPull(values, points)
        sampler = importlib.import_module("documented_pack.nodes.sampler")
        clip = SimpleNamespace(frames=points, disparity=values)
        windows = sampler.SizedWindows([latents, latents], [], None, 0.18215, clip)
        assert [id(tensor) for tensor in focus._comfy_cache_tensors()] == [id(values), id(points)]
        assert len(sockets.FocusPull(values)._comfy_cache_tensors()) == 1
        assert [tensor.numel() for tensor in windows._comfy_cache_tensors()] == [128, 128, 6, 3]
