"""When Any-to-Bokeh Video runs again: whenever what it reads or what it made is not what it was."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from devtools.client import PromptFailed
from tests.core.render.clips import moving_pictures, write_video
from tests.host.harness import HostUnderTest

COUNT, HEIGHT, WIDTH = 6, 32, 48


class Bench:
    """One graph that is queued again and again, its files in the host's input folder."""

    def __init__(self, host: HostUnderTest, folder: Path) -> None:
        self.host = host
        self.video = host.upload(
            write_video(
                folder / "film.mp4",
                moving_pictures(COUNT, HEIGHT, WIDTH),
                codec="mpeg4",
                pixel_format="yuv420p",
            )
        )
        self.maps, self.mask = host.unique_name("maps") + ".npy", host.unique_name("mask") + ".png"
        np.save(host.input_dir / self.maps, np.tile(np.linspace(0, 1, WIDTH, dtype=np.float32), (HEIGHT, 1)))
        self.write_mask(left=True)

    def write_mask(self, left: bool) -> None:
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[:, slice(0, 12) if left else slice(36, None)] = 255
        assert cv2.imwrite(str(self.host.input_dir / self.mask), mask)

    def queue(self, **options: object) -> tuple[bool, Path]:
        """Whether the node ran, and the file it shows."""
        graph = self.host.graph()
        given = {"disparity_path": self.maps, "strength": "8", "focus_at": f"mask: {self.mask}", **options}
        node = graph.add("AnyToBokehVideo", video=graph.add("LoadVideo", file=self.video), **given)
        result = self.host.run(graph)
        (shown,) = result.files[node.id]
        return node.id in result.executed, shown


@pytest.fixture
def bench(host: HostUnderTest, tmp_path: Path) -> Bench:
    return Bench(host, tmp_path)


def test_nothing_changes(bench: Bench):
    ran, first = bench.queue()
    again, second = bench.queue()
    assert (ran, again) == (True, False)
    assert first == second


def test_a_mask_that_the_focus_names(bench: Bench):
    _, left = bench.queue()
    bench.write_mask(left=False)
    ran, right = bench.queue()
    assert ran
    assert left != right


def test_maps_and_video(bench: Bench, tmp_path: Path):
    _, first = bench.queue()
    np.save(
        bench.host.input_dir / bench.maps, np.tile(np.linspace(1, 0, WIDTH, dtype=np.float32), (HEIGHT, 1))
    )
    ran, second = bench.queue()
    assert ran and second != first
    # Another film of the same name; its time of change is all that LoadVideo looks at.
    path = bench.host.input_dir / bench.video
    before = path.stat()
    write_video(path, moving_pictures(COUNT, HEIGHT, WIDTH)[::-1], codec="mpeg4", pixel_format="yuv420p")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))
    ran, third = bench.queue()
    assert ran and third != second


@pytest.mark.parametrize("harm", ["deleted", "emptied"])
def test_a_result_that_is_gone_is_made_again_once(bench: Bench, harm: str):
    _, shown = bench.queue()
    whole = shown.stat().st_size
    if harm == "deleted":
        shown.unlink()
    else:
        shown.write_bytes(b"")
    ran, again = bench.queue()
    assert ran and again == shown
    assert shown.stat().st_size == whole
    ran, _ = bench.queue()
    assert not ran


def test_the_loss_of_another_result_does_not_matter(bench: Bench):
    _, other = bench.queue(strength="9")
    bench.queue()
    other.unlink()
    ran, _ = bench.queue()
    assert not ran


def test_an_output_folder_that_cannot_be_written_to_is_said(bench: Bench):
    bench.queue()
    folder = bench.host.output_dir / "any_to_bokeh"
    aside = folder.with_name("aside")
    folder.rename(aside)
    try:
        folder.write_text("in the way")
        with pytest.raises(PromptFailed, match=r"Nothing can be written to .*any_to_bokeh"):
            bench.queue(strength="10")
    finally:
        folder.unlink()
        aside.rename(folder)
