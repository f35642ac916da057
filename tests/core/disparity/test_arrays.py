"""NumPy files that are damaged, swollen, cut off, or of unusual types; where reading begins."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bokeh_core.disparity import map_size
from bokeh_core.disparity.files import open_depth_maps, read_depth_maps


def write(path: Path, array: np.ndarray) -> None:
    if path.suffix == ".npy":
        np.save(path, array)
    else:
        np.savez(path, array)


def header_of(kind: str, shape: tuple[int, ...]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": kind, "fortran_order": False, "shape": shape})
    return file.getvalue()


@pytest.mark.parametrize("name", ["d.npy", "d.npz"])
@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3, 4)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 10**9)}",
        "{'descr': '<f4', 'shape': (2, 3)}",
        "{'descr': 'f9', 'fortran_order': False, 'shape': (2, 3)}",
        "(" * 900,
        "\xff'",
        "",
    ],
)
def test_a_header_that_is_no_header_is_refused(tmp_path: Path, name: str, header: str):
    text = header.encode("latin-1") + b"\n"
    data = b"\x93NUMPY\1\0" + len(text).to_bytes(2, "little") + text + bytes(96)
    if name == "d.npz":
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("depth.npy", data)
    else:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=rf"{name} (cannot be read as a NumPy file|has the shape)"):
        read_depth_maps(tmp_path / name)


@pytest.mark.parametrize(("offset", "value"), [(6, 1), (8, 99)])
def test_an_archive_that_cannot_be_unpacked_is_refused(tmp_path: Path, offset: int, value: int):
    # In both headers of the entry: the flags (1 = encrypted), and the number of the compression.
    np.savez(tmp_path / "d.npz", depth=np.ones((2, 3)))
    data = bytearray((tmp_path / "d.npz").read_bytes())
    data[offset] = value
    data[data.index(b"PK\1\2") + 2 + offset] = value
    (tmp_path / "d.npz").write_bytes(data)
    with pytest.raises(ValueError, match=r"d\.npz cannot be read as a NumPy file"):
        read_depth_maps(tmp_path / "d.npz")


def test_an_archive_without_arrays_is_refused(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "d.npz", "w") as archive:
        archive.writestr("depth", b"no array")
    with pytest.raises(ValueError, match=r"d\.npz holds no arrays; write it again"):
        read_depth_maps(tmp_path / "d.npz")


def test_of_many_arrays_a_few_are_named(tmp_path: Path):
    arrays: dict[str, Any] = {f"a{i}": np.zeros((1, 2)) for i in range(20)}
    np.savez(tmp_path / "d.npz", **arrays)
    with pytest.raises(ValueError, match="holds the arrays a0, a1, a2, a3, a4, a5, a6, a7 and 12 more; name"):
        read_depth_maps(tmp_path / "d.npz")


def test_an_archive_that_swells_is_refused(tmp_path: Path):
    with (
        zipfile.ZipFile(tmp_path / "d.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("depth.npy", "w") as entry,
    ):
        entry.write(header_of("<f4", (70, 1000, 1000)))
        for _ in range(70):
            entry.write(bytes(4_000_000))
    with pytest.raises(ValueError, match=r"d\.npz unpacks \d+ bytes to 280000\d+, which no depth does"):
        read_depth_maps(tmp_path / "d.npz")


def test_the_size_of_a_map_is_checked_before_it_is_read(tmp_path: Path):
    (tmp_path / "d.npy").write_bytes(header_of("|u1", (1, 2**14, 2**14)) + bytes(10))
    with pytest.raises(ValueError, match="is 16384 x 16384 px by its header; a depth map may have 134217728"):
        read_depth_maps(tmp_path / "d.npy")


@pytest.mark.parametrize("name", ["d.npy", "d.npz"])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, name: str):
    write(tmp_path / name, np.random.default_rng(0).random((3, 20, 20)))
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match=f"{name} cannot be read as a NumPy file"):
        read_depth_maps(tmp_path / name)


@pytest.mark.parametrize("name", ["d.npy", "d.npz"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_reading_begins_where_it_is_wanted(tmp_path: Path, name: str, order: Any):
    array = np.asarray(np.random.default_rng(0).random((5, 6, 7)), np.float32, order=order)
    write(tmp_path / name, array)
    frames = list(open_depth_maps(tmp_path / name).frames(3))
    np.testing.assert_array_equal(np.stack([frame.numpy() for frame in frames]), array[3:])


@pytest.mark.parametrize("kind", [">f4", ">f8", ">i4", "<f2", "<u4", "<i8"])
def test_numbers_of_every_size_and_byte_order_are_kept(tmp_path: Path, kind: str):
    np.save(tmp_path / "d.npy", np.array([[1, 2, 300]], kind))
    assert read_depth_maps(tmp_path / "d.npy").values.tolist() == [[[1, 2, 300]]]


@pytest.mark.parametrize("kind", [">u2", "<u2"])
def test_sixteen_bit_levels_of_either_byte_order_are_scaled(tmp_path: Path, kind: str):
    np.save(tmp_path / "d.npy", np.array([[0, 13107, 65535]], kind))
    assert read_depth_maps(tmp_path / "d.npy").values.tolist() == [[[0, pytest.approx(0.2), 1]]]


def test_a_value_beyond_floats_is_named_by_its_place(tmp_path: Path):
    array = np.ones((3, 4, 5))
    array[1, 2, 3] = 1e60
    np.save(tmp_path / "d.npy", array)
    with pytest.raises(ValueError, match=r"the value 1e\+60 in frame 1 at column 3, row 2 is beyond 3\.4e38"):
        read_depth_maps(tmp_path / "d.npy")


@pytest.mark.parametrize("array", [np.ones((2, 2), complex), np.array([["a", "b"]]), np.ones(2, "f4,i4")])
def test_what_is_no_number_is_refused(tmp_path: Path, array: np.ndarray):
    np.save(tmp_path / "d.npy", array)
    with pytest.raises(ValueError, match=r"d\.npy holds .* values; depth must be numbers"):
        read_depth_maps(tmp_path / "d.npy")


def test_no_maps_at_all_are_refused(tmp_path: Path):
    np.save(tmp_path / "d.npy", np.zeros((0, 4, 5), np.float32))
    with pytest.raises(ValueError, match=r"d\.npy has the shape \(0, 4, 5\), without values"):
        read_depth_maps(tmp_path / "d.npy")


def test_a_clip_that_is_too_large_for_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    np.save(tmp_path / "d.npy", np.ones((5, 10, 10), np.uint8))
    monkeypatch.setattr(map_size, "MAX_HELD_PIXELS", 450)
    assert len(list(open_depth_maps(tmp_path / "d.npy").frames())) == 5
    with pytest.raises(ValueError, match=r"has 5 or more maps of 10 x 10 px, .* read maps one by one"):
        read_depth_maps(tmp_path / "d.npy")


def test_an_array_that_shrinks_while_it_is_read_is_refused(tmp_path: Path):
    np.save(tmp_path / "d.npy", np.ones((4, 100, 100)))
    stream = open_depth_maps(tmp_path / "d.npy").frames()
    next(stream)
    with (tmp_path / "d.npy").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(ValueError, match="it ends in the middle of a map"):
        list(stream)
