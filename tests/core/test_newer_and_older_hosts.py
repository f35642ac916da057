"""Sockets that depend on what the host has."""

import importlib
from types import SimpleNamespace

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
