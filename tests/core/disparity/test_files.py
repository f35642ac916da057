"""Folders of depth maps: their order, gaps, sizes and states."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from bokeh_core.disparity.files import natural_order, open_depth_maps, read_depth_maps, state_of_files


def write_png(path: Path, values: np.ndarray) -> None:
    assert cv2.imwrite(str(path), values)


def write_frames(folder: Path, names: list[str]) -> None:
    """Frame i holds the level 10 i."""
    folder.mkdir(exist_ok=True)
    for i, name in enumerate(names):
        write_png(folder / name, np.full((3, 4), 10 * i, np.uint8))


def first_levels(path: Path) -> list[int]:
    return (read_depth_maps(path).values[:, 0, 0] * 255).round().int().tolist()


class TestFolder:
    def test_frames_are_read_in_natural_order(self, tmp_path: Path):
        write_frames(tmp_path, [f"d{number}.png" for number in (10, 8, 9, 11)])
        assert first_levels(tmp_path) == [10, 20, 0, 30]

    def test_other_files_are_left_alone(self, tmp_path: Path):
        write_frames(tmp_path, ["0.png", "1.png"])
        (tmp_path / "focus.csv").write_text("frame,focal_disparity\n")
        (tmp_path / "._0.png").write_bytes(b"resource fork")
        (tmp_path / "nested.png").mkdir()
        assert first_levels(tmp_path) == [0, 10]

    def test_what_was_read_is_described(self, tmp_path: Path):
        write_frames(tmp_path / "depth", ["0.png", "1.png"])
        description = read_depth_maps(tmp_path / "depth").description
        assert description == "Read 2 frames of 4 x 3 px, 8-bit, from depth: 0.png to 1.png."

    def test_every_frame_is_announced(self, tmp_path: Path):
        write_frames(tmp_path, ["0.png", "1.png", "2.png"])
        calls: list[int] = []
        read_depth_maps(tmp_path, check=lambda: calls.append(1))
        assert len(calls) == 3

    @pytest.mark.parametrize(
        "names",
        [
            ["00000_zf_0.62000.png", "00001_zf_0.62654.png", "00002_zf_0.63237.png"],
            ["shot07_0010.png", "shot07_0015.png", "shot07_0020.png"],
            ["1305031102.175304.png", "1305031102.211214.png", "1305031103.243211.png"],
            ["left.png", "right.png"],
        ],
    )
    def test_names_without_a_gap_are_accepted(self, tmp_path: Path, names: list[str]):
        write_frames(tmp_path, names)
        assert first_levels(tmp_path) == [10 * i for i in range(len(names))]

    def test_a_missing_frame_is_an_error(self, tmp_path: Path):
        write_frames(tmp_path, ["00.png", "01.png", "02.png", "04.png"])
        with pytest.raises(
            ValueError, match=r"missing between 02\.png and 04\.png \(the others count in steps of 1\)"
        ):
            read_depth_maps(tmp_path)

    def test_an_empty_folder_is_an_error(self, tmp_path: Path):
        (tmp_path / "notes.txt").write_text("nothing here")
        with pytest.raises(ValueError, match=r"has no depth maps; put PNG, JPG"):
            read_depth_maps(tmp_path)

    def test_mixed_kinds_are_an_error(self, tmp_path: Path):
        write_frames(tmp_path, ["0.png", "1.png"])
        np.save(tmp_path / "2.npy", np.zeros((3, 4), np.float32))
        with pytest.raises(ValueError, match=r"mixes kinds of files \(2 \.png, 1 \.npy\); keep one"):
            read_depth_maps(tmp_path)

    def test_mixed_sizes_are_an_error(self, tmp_path: Path):
        write_frames(tmp_path, ["0.png", "1.png"])
        write_png(tmp_path / "2.png", np.zeros((5, 7), np.uint8))
        with pytest.raises(ValueError, match=r"2\.png is 7 x 5 px but 0\.png is 4 x 3 px"):
            read_depth_maps(tmp_path)

    def test_a_damaged_picture_is_named(self, tmp_path: Path):
        write_frames(tmp_path, ["0.png"])
        (tmp_path / "1.png").write_bytes(b"not a picture")
        with pytest.raises(ValueError, match=r"1\.png cannot be read as a picture"):
            read_depth_maps(tmp_path)

    def test_an_empty_picture_file_is_named(self, tmp_path: Path):
        (tmp_path / "0.png").write_bytes(b"")
        with pytest.raises(ValueError, match=r"0\.png cannot be read as a picture"):
            read_depth_maps(tmp_path)


class TestStill:
    def test_eight_bit_levels_become_unit_range(self, tmp_path: Path):
        write_png(tmp_path / "d.png", np.array([[0, 51, 255]], np.uint8))
        maps = read_depth_maps(tmp_path / "d.png")
        assert maps.values.tolist() == [[[0, pytest.approx(0.2), 1]]]
        assert maps.description == "Read 1 frame of 3 x 1 px, 8-bit, from d.png."

    def test_sixteen_bit_levels_keep_their_precision(self, tmp_path: Path):
        write_png(tmp_path / "d.png", np.array([[0, 13107, 13108, 65535]], np.uint16))
        values = read_depth_maps(tmp_path / "d.png").values[0, 0]
        assert values.tolist() == [0, pytest.approx(0.2, abs=1e-7), pytest.approx(13108 / 65535, abs=1e-7), 1]
        assert values[1] < values[2]

    def test_floats_of_a_pfm_are_kept(self, tmp_path: Path):
        # The format stores rows bottom up; a negative scale means little-endian.
        (tmp_path / "d.pfm").write_bytes(b"Pf\n2 2\n-1.0\n" + np.array([3.5, 4.5, 1.5, 2.5], "<f4").tobytes())
        assert read_depth_maps(tmp_path / "d.pfm").values.tolist() == [[[1.5, 2.5], [3.5, 4.5]]]

    def test_grey_stored_as_colour_with_alpha_is_grey(self, tmp_path: Path):
        write_png(tmp_path / "d.png", np.array([[[51, 51, 51, 9], [102, 102, 102, 9]]], np.uint8))
        assert read_depth_maps(tmp_path / "d.png").values.tolist() == [
            [[pytest.approx(0.2), pytest.approx(0.4)]]
        ]

    def test_a_colour_map_is_refused(self, tmp_path: Path):
        write_png(tmp_path / "turbo.png", np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8))
        with pytest.raises(ValueError, match=r"turbo\.png is coloured"):
            read_depth_maps(tmp_path / "turbo.png")

    def test_names_in_any_script_are_read(self, tmp_path: Path):
        write_png(tmp_path / "d.png", np.array([[255]], np.uint8))
        path = tmp_path / "\u6df1\u5ea6 \u043a\u0430\u0440\u0442\u0430.PNG"
        (tmp_path / "d.png").rename(path)
        assert read_depth_maps(path).values.item() == 1

    def test_a_missing_path_is_an_error(self, tmp_path: Path):
        with pytest.raises(ValueError, match=r"Nothing at .*nowhere\.png; give a folder"):
            read_depth_maps(tmp_path / "nowhere.png")


class TestArrays:
    @pytest.mark.parametrize("shape", [(2, 3, 4), (2, 3, 4, 1), (2, 1, 3, 4)])
    def test_a_clip_in_one_array(self, tmp_path: Path, shape: tuple[int, ...]):
        array = np.arange(24, dtype=np.float64).reshape(2, 3, 4)
        np.save(tmp_path / "d.npy", array.reshape(shape))
        values = read_depth_maps(tmp_path / "d.npy").values
        np.testing.assert_array_equal(values.numpy(), array.astype(np.float32))

    @pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1)])
    def test_a_still_in_an_array(self, tmp_path: Path, shape: tuple[int, ...]):
        array = np.arange(12, dtype=np.float32).reshape(shape)
        np.save(tmp_path / "d.npy", array)
        np.testing.assert_array_equal(
            read_depth_maps(tmp_path / "d.npy").values.numpy(), array.reshape(1, 3, 4)
        )

    def test_a_folder_of_arrays(self, tmp_path: Path):
        for t in range(3):
            np.save(tmp_path / f"{t}.npy", np.full((2, 2), t, np.float16))
        assert read_depth_maps(tmp_path).values[:, 0, 0].tolist() == [0, 1, 2]

    def test_bytes_are_scaled_and_other_whole_numbers_are_not(self, tmp_path: Path):
        np.save(tmp_path / "bytes.npy", np.array([[0, 255]], np.uint8))
        np.save(tmp_path / "millimetres.npy", np.array([[500, 1500]], np.int32))
        assert read_depth_maps(tmp_path / "bytes.npy").values.tolist() == [[[0, 1]]]
        assert read_depth_maps(tmp_path / "millimetres.npy").values.tolist() == [[[500, 1500]]]

    @pytest.mark.parametrize("key", ["disparity", "disp", "depth", "depths", "arr_0"])
    def test_the_depth_of_an_npz_is_found_by_its_name(self, tmp_path: Path, key: str):
        arrays: dict[str, Any] = {"K": np.eye(3), key: np.full((1, 2, 2), 7.0)}
        np.savez(tmp_path / "d.npz", **arrays)
        assert read_depth_maps(tmp_path / "d.npz").values.unique().tolist() == [7]

    def test_disparity_is_preferred_to_depth(self, tmp_path: Path):
        np.savez(tmp_path / "d.npz", depth=np.zeros((2, 2)), disparity=np.ones((2, 2)))
        assert read_depth_maps(tmp_path / "d.npz").values.unique().tolist() == [1]

    def test_the_only_array_needs_no_name(self, tmp_path: Path):
        np.savez_compressed(tmp_path / "d.npz", z_buffer=np.ones((2, 2)))
        assert read_depth_maps(tmp_path / "d.npz").values.unique().tolist() == [1]

    def test_unnamed_arrays_are_an_error_that_lists_them(self, tmp_path: Path):
        np.savez(tmp_path / "d.npz", left=np.zeros((2, 2)), right=np.zeros((2, 2)))
        with pytest.raises(
            ValueError, match="holds the arrays left, right; name one of them disparity, disp, depth"
        ):
            read_depth_maps(tmp_path / "d.npz")

    def test_another_shape_is_an_error(self, tmp_path: Path):
        np.save(tmp_path / "d.npy", np.zeros((2, 3, 4, 5), np.float32))
        with pytest.raises(ValueError, match=r"has the shape \(2, 3, 4, 5\); depth maps are \[T, H, W\]"):
            read_depth_maps(tmp_path / "d.npy")

    def test_clips_in_a_folder_are_an_error(self, tmp_path: Path):
        np.save(tmp_path / "0.npy", np.zeros((2, 3, 4), np.float32))
        with pytest.raises(
            ValueError, match=r"0\.npy holds several frames; in a folder each file must hold one"
        ):
            read_depth_maps(tmp_path)

    def test_values_that_are_no_numbers_are_an_error(self, tmp_path: Path):
        np.save(tmp_path / "d.npy", np.zeros((2, 2), bool))
        with pytest.raises(ValueError, match="holds bool values; depth must be numbers"):
            read_depth_maps(tmp_path / "d.npy")

    @pytest.mark.parametrize("name", ["d.npy", "d.npz"])
    def test_a_damaged_file_is_named(self, tmp_path: Path, name: str):
        (tmp_path / name).write_bytes(b"not numpy")
        with pytest.raises(ValueError, match=f"{name} cannot be read as a NumPy file"):
            read_depth_maps(tmp_path / name)

    def test_pickled_objects_are_never_loaded(self, tmp_path: Path):
        np.save(tmp_path / "d.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
        with pytest.raises(ValueError, match=r"d\.npy cannot be read as a NumPy file"):
            read_depth_maps(tmp_path / "d.npy")


class TestFingerprint:
    def test_it_follows_size_time_and_names(self, tmp_path: Path):
        write_frames(tmp_path, ["0.png", "1.png"])
        before = state_of_files(tmp_path)
        assert state_of_files(tmp_path) == before

        os.utime(tmp_path / "1.png", ns=(0, 1_000_000_000))
        touched = state_of_files(tmp_path)
        write_png(tmp_path / "2.png", np.zeros((3, 4), np.uint8))
        grown = state_of_files(tmp_path)
        assert len({before, touched, grown}) == 3

    def test_files_that_are_not_read_do_not_matter(self, tmp_path: Path):
        write_frames(tmp_path, ["0.png"])
        before = state_of_files(tmp_path)
        (tmp_path / "notes.txt").write_text("edited")
        assert state_of_files(tmp_path) == before

    def test_a_single_file_has_one_too(self, tmp_path: Path):
        write_png(tmp_path / "a.png", np.zeros((3, 4), np.uint8))
        before = state_of_files(tmp_path / "a.png")
        os.utime(tmp_path / "a.png", ns=(0, 1_000_000_000))
        assert state_of_files(tmp_path / "a.png") != before


def test_natural_order():
    names = ["f10.png", "f2.png", "F1.png", "f2b.png"]
    assert sorted(names, key=natural_order) == ["F1.png", "f2.png", "f2b.png", "f10.png"]


def test_natural_order_of_numbers_of_any_length_and_script():
    names = [f"f{'9' * 5000}.png", "f10.png", "f\u0669.png", "f007.png", "f8.png"]
    assert sorted(names, key=natural_order) == ["f007.png", "f8.png", "f\u0669.png", "f10.png", names[0]]


def test_names_that_differ_in_case_have_one_order(tmp_path: Path):
    for name, level in (("B_1.png", 10), ("b_2.png", 20), ("a_3.png", 30)):
        write_png(tmp_path / name, np.full((3, 4), level, np.uint8))
    for other in ("Thumbs.db", "desktop.ini", ".DS_Store"):
        (tmp_path / other).write_bytes(b"\0")
    assert first_levels(tmp_path) == [30, 10, 20]


def test_a_folder_of_many_files_is_looked_through(tmp_path: Path):
    for t in range(2000):
        (tmp_path / f"depth_{t}.png").touch()
    stream = open_depth_maps(tmp_path)
    assert stream.name.endswith("depth_0.png to depth_1999.png")
    (tmp_path / "depth_1234.png").unlink()
    with pytest.raises(ValueError, match=r"missing between depth_1233\.png and depth_1235\.png"):
        open_depth_maps(tmp_path)


def test_a_file_that_vanishes_is_named(tmp_path: Path):
    write_frames(tmp_path, ["0.png", "1.png"])
    stream = open_depth_maps(tmp_path).frames()
    next(stream)
    (tmp_path / "1.png").unlink()
    with pytest.raises(ValueError, match=r"1\.png cannot be read \(.*\); check that it is there"):
        next(stream)
    with pytest.raises(ValueError, match=r"gone\.png cannot be read"):
        state_of_files(tmp_path / "gone.png")


@pytest.mark.parametrize("name", ["d.npy", "d.mkv"])
def test_a_single_file_that_vanishes_is_named(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"anything")
    stream = open_depth_maps(tmp_path / name).frames()
    (tmp_path / name).unlink()
    with pytest.raises(ValueError, match=rf"{name} cannot be read"):
        next(stream)


def test_maps_of_another_shape_are_refused_by_the_first(tmp_path: Path):
    write_frames(tmp_path, ["0.png", "1.png"])
    (tmp_path / "1.png").write_bytes(b"never read")
    with pytest.raises(
        ValueError, match="The maps are 4 x 3 px and the frames 3 x 4 px: they fit when turned"
    ):
        read_depth_maps(tmp_path, size=(4, 3))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_what_is_no_file_is_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "d.png")
    with pytest.raises(ValueError, match=r"d\.png is neither a file nor a folder"):
        read_depth_maps(tmp_path / "d.png")
