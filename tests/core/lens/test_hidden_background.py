"""Background that other frames have seen: a card that moves over a board of which every square is known."""

import gc
import weakref

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from bokeh_core.lens import lens_blur
from bokeh_core.lens.bars import blur_between_bars
from bokeh_core.lens.neighbourhood import Extremes
from bokeh_core.lens.other_frames import CONTINUE, OTHER_FRAMES, OtherFrame, OtherFrames
from bokeh_core.lens.seen_behind import SeenBehind

HEIGHT, WIDTH = 64, 96
ROWS, CARD_PX = slice(12, 52), 20
RED = torch.tensor([0.9, 0.1, 0.1])
FAR, NEAR, RADIUS_PX = 0.2, 0.9, 5.6
FOCUS, STRENGTH = torch.tensor([FAR]), torch.tensor([RADIUS_PX / (NEAR - FAR)])


def board(seed: int = 1) -> Tensor:
    """Random squares of 4 px, [H, W, 3], whose motion is easily found."""
    squares = torch.rand(HEIGHT // 4, WIDTH // 4, 3, generator=torch.Generator().manual_seed(seed))
    return (0.2 + 0.6 * squares).repeat_interleave(4, 0).repeat_interleave(4, 1)


def view(card_x: int, background: Tensor) -> tuple[Tensor, Tensor]:
    """The card before a background: frame and map."""
    frame, disparity = background.clone(), torch.full((HEIGHT, WIDTH), FAR)
    frame[ROWS, card_x : card_x + CARD_PX] = RED
    disparity[ROWS, card_x : card_x + CARD_PX] = NEAR
    return frame, disparity


def clip(step_px: int = 3, count: int = 9) -> tuple[Tensor, Tensor]:
    """A card that moves to the right over a board at rest: frames and maps."""
    frames, maps = zip(*(view(30 + step_px * t, board()) for t in range(count)), strict=True)
    return torch.stack(frames), torch.stack(maps)


@pytest.mark.parametrize("pan_px", [0, 3])
def test_what_another_frame_has_seen_is_taken_from_where_the_background_has_gone(pan_px: int):
    # The card is at 40 here and 10 px to the left there; the board goes `pan_px` to the right.
    frame, disparity = view(40, board())
    other, other_map = view(30, torch.roll(board(), pan_px, 1))
    flow = torch.zeros(2, HEIGHT, WIDTH)
    flow[0] = pan_px
    seen = SeenBehind(
        frame,
        [OtherFrame(other, Extremes.of(other_map, 2), other, flow, -flow, 2)],
        lambda values: (values - FAR) * STRENGTH,
        lambda values, *_: values,
        lambda _: None,
    )
    hidden = disparity == NEAR
    light, trust = seen(hidden, (~hidden).float(), (disparity - FAR) * STRENGTH, frame.movedim(-1, 0))
    # There the card ends before 50, which is 50 - `pan_px` here; 2 px beside it are not looked at. Its left
    # side is hidden there, so that nothing can be compared beside the left half.
    first = 52 - pan_px
    assert bool((trust[ROWS, max(first, 50) : 60] > 0.9).all())
    assert bool((trust[:, :first] == 0).all() and (trust[:, 60:] == 0).all())
    assert torch.allclose(light[:, ROWS, 52:60], board().movedim(-1, 0)[:, ROWS, 52:60], atol=1e-6)
    assert torch.equal(light[:, ~hidden], frame.movedim(-1, 0)[:, ~hidden])


def test_a_card_out_of_focus_shows_the_board_that_other_frames_have_seen():
    frames, maps = clip()
    now = slice(4, 5)
    others = OtherFrames(frames, maps, first=4)
    settings = (frames[now], maps[now], FOCUS, STRENGTH)
    pictures = [
        lens_blur(*settings, gamma=1.0, contour_reach_px=0, workers=1, other_frames=known)[0]
        for known in (None, others)
    ]
    # The card's disk over the board, which is in focus.
    y, x = torch.meshgrid(torch.arange(-6.0, 7.0), torch.arange(-6.0, 7.0), indexing="ij")
    disk = (RADIUS_PX + 0.5 - torch.hypot(y, x)).clamp(0, 1)
    card = (maps[4] == NEAR).float()
    cover = F.conv2d(card[None, None], (disk / disk.sum())[None, None], padding=6)[0, 0, ..., None]
    truth = cover * RED + (1 - cover) * board()
    # 12 px of it were seen from either side. What mixes along the contour is the matte's.
    for seen in (slice(44, 48), slice(56, 60)):
        without, with_others = ((p - truth)[18:46, seen].square().mean().item() for p in pictures)
        assert with_others < without / 10


def test_nothing_is_taken_from_beyond_a_cut():
    frames, maps = clip()
    elsewhere = board(seed=2).expand(4, -1, -1, -1)
    cut = torch.cat([elsewhere, frames[4:5], elsewhere])
    now = (frames[4:5], maps[4:5], FOCUS, STRENGTH)
    alone = lens_blur(*now, workers=1)
    assert torch.equal(lens_blur(*now, workers=1, other_frames=OtherFrames(cut, maps, first=4)), alone)
    within = lens_blur(*now, workers=1, other_frames=OtherFrames(frames, maps, first=4))
    assert not torch.equal(within, alone)


def test_a_clip_between_bars_looks_at_its_own_frames():
    picture, inner = clip(count=5)
    frames, maps = F.pad(picture, (0, 0, 0, 0, 16, 16)), F.pad(inner, (0, 0, 16, 16))
    settings = (frames, maps, FOCUS, STRENGTH)
    framed = blur_between_bars(*settings, hidden_background=OTHER_FRAMES, workers=1)
    expected = lens_blur(picture, inner, FOCUS, STRENGTH, workers=1, other_frames=OtherFrames(picture, inner))
    assert torch.equal(framed[:, 16:-16], expected)
    continued = blur_between_bars(*settings, hidden_background=CONTINUE, workers=1)
    assert not torch.equal(framed, continued)
    with pytest.raises(ValueError, match="hidden_background"):
        blur_between_bars(*settings, hidden_background="guess")


def test_frames_go_with_what_looked_at_them():
    frames, maps = clip(count=3)
    gc.disable()
    try:
        others = OtherFrames(frames, maps, first=0)
        assert len(others.around(0, 1)) == 1
        held = weakref.ref(others)
        del others
        assert held() is None
    finally:
        gc.enable()
