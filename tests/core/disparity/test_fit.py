"""How maps lie on frames: cut, extended, turned; earlier, later, fewer."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from bokeh_core.disparity.fit import FITS, MapFit
from bokeh_core.disparity.prepare import prepare_disparity


def ramp(height: int, width: int) -> Tensor:
    """Every pixel its own value."""
    return torch.arange(height * width, dtype=torch.float32).reshape(height, width) / (height * width)


class TestPicture:
    def test_maps_cut_to_multiples_of_64_lie_in_the_middle_unscaled(self):
        # As DepthCrafter cuts 854 x 480.
        whole = ramp(480, 854)
        cut = whole[16:464, 11:843]
        placed = MapFit("pad").place(cut, (480, 854))
        assert torch.equal(placed[16:464, 11:843], cut)
        assert torch.equal(placed[:16, 11:843], cut[:1].expand(16, 832))
        assert torch.equal(placed[16:464, 843:], cut[:, -1:].expand(448, 11))
        assert placed[0, 0] == cut[0, 0] and placed[-1, -1] == cut[-1, -1]
        (line,) = MapFit("pad").placing_report((448, 832), (480, 854))
        assert "832 x 448 px in the middle of 854 x 480 px; 32 rows and 22 columns" in line

    def test_maps_padded_to_multiples_of_64_are_cut_unscaled(self):
        padded = ramp(512, 896)
        placed = MapFit("crop").place(padded, (480, 854))
        assert torch.equal(placed, padded[16:496, 21:875])
        (line,) = MapFit("crop").placing_report((512, 896), (480, 854))
        assert "896 x 512 px and cut about the centre to 854 x 480 px" in line

    def test_maps_of_another_scale_fit_as_a_whole_or_cover(self):
        square = ramp(8, 8)
        # A square in the middle of 16:8 at half the scale of its own: 32 x 32 of 64 x 32.
        padded = MapFit("pad").place(square, (128, 256))
        assert torch.equal(padded[:, :64], padded[:, 64:65].expand(128, 64))
        inner = torch.nn.functional.interpolate(square[None, None], (128, 128), mode="bilinear")[0, 0]
        torch.testing.assert_close(padded[:, 64:192], inner)
        wide = ramp(4, 16)
        cropped = MapFit("crop").place(wide, (128, 128))
        covering = torch.nn.functional.interpolate(wide[None, None], (128, 512), mode="bilinear")[0, 0]
        torch.testing.assert_close(cropped, covering[:, 192:320])

    @pytest.mark.parametrize("fit", ["crop", "pad"])
    @pytest.mark.parametrize("map_size", [(7, 13), (100, 3), (65, 64), (1, 1), (300, 200)])
    @pytest.mark.parametrize("size", [(5, 9), (90, 160), (1, 1), (160, 90)])
    def test_any_sizes_give_the_frames_size(self, fit: str, map_size: tuple[int, int], size: tuple[int, int]):
        placed = MapFit(fit).place(torch.rand(map_size, generator=torch.Generator().manual_seed(0)), size)
        assert placed.shape == size and bool(((placed >= 0) & (placed <= 1)).all())

    def test_turns(self):
        lying = torch.tensor([[0.0, 0.25, 0.5], [0.75, 1.0, 0.125]])
        # The first row of what lies becomes the right column.
        clockwise = torch.tensor([[0.75, 0.0], [1.0, 0.25], [0.125, 0.5]])
        assert torch.equal(MapFit("turn clockwise").place(lying, (3, 2)), clockwise)
        assert torch.equal(MapFit("turn anticlockwise").place(lying, (3, 2)), clockwise.flip(0, 1))
        assert MapFit("turn clockwise").placing_report((2, 3), (3, 2)) == [
            "Maps turned by a quarter clockwise."
        ]

    def test_maps_that_lie_are_never_squeezed(self):
        with pytest.raises(ValueError, match=r"fit when turned by a quarter. Set fit to turn clockwise"):
            prepare_disparity(torch.rand(1, 90, 160), height=160, width=90)
        with pytest.raises(ValueError, match="fit when turned by a quarter"):
            prepare_disparity(torch.rand(1, 160, 90), fit="turn clockwise", height=160, width=90)
        with pytest.raises(ValueError, match=r"at most 2 is allowed. Set fit to crop"):
            prepare_disparity(torch.rand(1, 20, 90), height=90, width=90)

    @pytest.mark.parametrize("fit", FITS)
    def test_an_area_of_the_frames_is_found_in_the_maps(self, fit: str):
        turned = fit.startswith("turn")
        # Maps of half the scale; those that are cut or extended show 20 columns more or less.
        size, area = (120, 200), (30, 90, 40, 150)
        map_size = {"stretch": (60, 100), "crop": (60, 120), "pad": (60, 80)}.get(fit, (100, 60))
        rows, columns = MapFit(fit).in_map(area, map_size, size)
        marked = torch.zeros(map_size)
        marked[rows, columns] = 1
        placed = MapFit(fit).place(marked, size) > 0.5
        assert placed[area[0] : area[1], area[2] : area[3]].all()
        assert int(placed.sum()) == 60 * 110
        assert turned == (map_size == (100, 60))


def counted(count: int) -> tuple[list[int], Callable[[int], Iterator[Tensor]]]:
    """A reader of maps whose values are their numbers, and the numbers that were read."""
    read: list[int] = []

    def maps_from(first: int) -> Iterator[Tensor]:
        for number in range(first, count):
            read.append(number)
            yield torch.full((1, 1), float(number))

    return read, maps_from


def numbers(fit: MapFit, count: int, num_frames: int, start: int = 0) -> list[float]:
    _, maps_from = counted(count)
    return [m.item() for m in fit.in_time(maps_from, count, start, num_frames)]


class TestTime:
    def test_a_map_for_each_frame(self):
        assert numbers(MapFit(), 4, 4) == [0, 1, 2, 3]
        assert numbers(MapFit(), 4, 4, start=2) == [2, 3]
        assert numbers(MapFit(), 1, 3) == [0, 0, 0]

    def test_maps_that_begin_earlier_or_later(self):
        assert numbers(MapFit(frame_offset=1), 5, 4) == [1, 2, 3, 4]
        assert numbers(MapFit(frame_offset=-2), 3, 4) == [0, 0, 0, 1]
        assert numbers(MapFit(frame_offset=2), 4, 4) == [2, 3, 3, 3]
        assert numbers(MapFit(frame_offset=2), 4, 4, start=3) == [3]

    def test_fewer_maps_are_mixed_by_time(self):
        # 8 maps a second of 24 frames a second.
        assert numbers(MapFit(frames_per_map=3), 3, 8) == pytest.approx(
            [0, 1 / 3, 2 / 3, 1, 4 / 3, 5 / 3, 2, 2]
        )
        assert numbers(MapFit(frames_per_map=3), 3, 8, start=4) == pytest.approx([4 / 3, 5 / 3, 2, 2])
        # More maps than frames: every second.
        assert numbers(MapFit(frames_per_map=0.5), 6, 3) == [0, 2, 4]

    def test_a_map_is_read_once_and_two_are_held(self):
        read, maps_from = counted(100)
        for _ in MapFit(frames_per_map=2.5).in_time(maps_from, 100, 7, 250):
            pass
        assert read == list(range(2, 100))

    @pytest.mark.parametrize(
        ("fit", "count", "frames"),
        [
            (MapFit(), 85, 85),
            (MapFit(), 1, 85),
            (MapFit(), 86, 85),
            (MapFit(), 87, 85),
            (MapFit(), 11, 10),
            (MapFit(frame_offset=1), 86, 85),
            (MapFit(frame_offset=-2), 83, 85),
            (MapFit(frames_per_map=3), 28, 84),
            (MapFit(frames_per_map=3), 29, 85),
            (MapFit(frames_per_map=2.3976), 100, 240),
        ],
    )
    def test_lengths_that_go_together(self, fit: MapFit, count: int, frames: int):
        fit.require_length(count, frames)

    @pytest.mark.parametrize(
        ("fit", "count", "frames", "wanted"),
        [
            (MapFit(), 84, 85, "85"),
            (MapFit(), 28, 84, "84"),
            (MapFit(), 88, 85, "85"),
            (MapFit(), 12, 10, "10"),
            (MapFit(), 10, 9, "9"),
            (MapFit(frame_offset=1), 90, 85, "85"),
            (MapFit(frames_per_map=3), 84, 84, "28"),
        ],
    )
    def test_lengths_that_do_not(self, fit: MapFit, count: int, frames: int, wanted: str):
        with pytest.raises(
            ValueError, match=rf"{count} disparity frames for {frames} .*give {wanted}, or 1 "
        ):
            fit.require_length(count, frames)

    def test_what_is_told(self):
        (line,) = MapFit(frames_per_map=3).timing_report(28, 84)
        assert "every 3 frames" in line and "soft" in line
        lines = MapFit(frame_offset=-2).timing_report(3, 8)
        assert "2 frames at the start and 3 at the end have the nearest map." in lines
        assert MapFit().timing_report(8, 8) == []
        (line,) = MapFit().timing_report(87, 85)
        assert line == "87 maps for 85 video frames: those after the first 85 are left out."
        # Frame 84 has map 28, the last of 29.
        assert len(MapFit(frames_per_map=3).timing_report(29, 85)) == 1


def test_in_a_clip_without_frames_maps_give_the_length():
    maps = torch.linspace(0, 1, 3)[:, None, None].expand(3, 1, 2)
    disparity = prepare_disparity(maps, frames_per_map=2).disparity
    assert disparity[:, 0, 0].tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fit": "squeeze"}, "fit is 'squeeze'"),
        ({"frame_offset": 1.5}, "frame_offset is 1.5"),
        ({"frames_per_map": 0.0}, "frames_per_map is 0"),
    ],
)
def test_settings_out_of_range(settings: dict[str, float], message: str):
    with pytest.raises(ValueError, match=message):
        MapFit(**settings)  # type: ignore[arg-type]
