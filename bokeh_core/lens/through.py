"""What a lens makes of a frame that is taken apart into layers."""

from collections.abc import Callable
from functools import partial

from torch import Tensor

from ..progress import Check, no_check
from .aperture import Aperture, kernel_reach_px, lens_kernel
from .areas import Area, inside
from .backend import backend_of
from .border import spread_field_within_frame, spread_within_frame
from .composite import Spread, Stack
from .convolve import spread_in_darkness
from .layers import Layers
from .portions import by_planes


def layers_through_lens(
    taken_apart: Callable[[], Layers],
    aperture: Aperture,
    frame_size: tuple[int, int],
    *,
    beyond_frame: bool,
    in_double: bool,
    check: Check = no_check,
) -> Tensor:
    """Spread the samples of a frame's layers by the aperture's image, and stack them from near to far.

    Args:
        taken_apart: makes the layers; asked once, as they take as much memory as all that is made of them.
        aperture: the opening of the lens.
        frame_size: (H, W) in px.
        beyond_frame: whether samples beyond the frame spread too, as `surroundings` has them.
        in_double: whether sums need more than float32, see `light.Scale`.
        check: called several times; may raise to stop.

    Returns:
        [C, ..., H, W] linear light.
    """
    stack = Stack.of(taken_apart(), partial(kernel_reach_px, aperture), beyond_frame=beyond_frame)
    return stack.composite(_spread(aperture, frame_size, beyond_frame, in_double, check))


def _spread(
    aperture: Aperture, frame_size: tuple[int, int], beyond_frame: bool, in_double: bool, check: Check
) -> Spread:
    """How one slab spreads; the check runs before each, as a slab of a large frame takes seconds."""

    def spread_slab(planes: Tensor, radius_px: float, area: Area, target: Area) -> Tensor:
        check()
        # Apple's GPUs have no more than float32.
        if not in_double or planes.device.type == "mps":
            return spread_exactly(planes, radius_px, area, target)
        # Rounding of a bright lamp must not reach the shadows of the frame.
        return by_planes(
            lambda some: spread_exactly(some.double(), radius_px, area, target).to(planes.dtype),
            planes,
            backend_of(planes.device).band_pixels // 2,
        )

    def spread_exactly(planes: Tensor, radius_px: float, area: Area, target: Area) -> Tensor:
        if not aperture.changes_over_field:
            kernel = lens_kernel(aperture, radius_px)
            if beyond_frame:
                return spread_in_darkness(planes, kernel, inside(target, area))
            return spread_within_frame(planes, kernel, area, target, frame_size)
        return spread_field_within_frame(
            planes,
            radius_px,
            area,
            target,
            aperture=aperture,
            frame_size=frame_size,
            beyond_frame=beyond_frame,
            check=check,
        )

    return spread_slab
