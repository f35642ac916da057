"""The thin lens: millimetres and metres -> blur in px, and disparity to and from distance.

A point at distance z blurs into a disk on the sensor of the radius f^2 / (2 N) z_f / (z_f - f) |1/z_f - 1/z|,
with focal length f, f-number N and focus distance z_f. Disparity normalised over the clip is
d = (1/z - 1/z_far) / (1/z_near - 1/z_far), so that this is r = K |d - d_f| (Eq. 1) with one K for all pixels.
All is computed with 1 / z, which is 0 at infinity.
"""

import math

import torch
from torch import Tensor

from ..reference_width import REFERENCE_WIDTH_PX
from ..setting_checks import require_number

_MM = 1e-3
# Nearer than any lens focuses; farther nothing can be told from infinity.
LEAST_DISTANCE_M, MOST_DISTANCE_M = 1e-3, 1e6
# Rounding of a distance that was turned into a disparity and back.
_SLACK = 1e-5


def require_distances(near_m: float, far_m: float) -> None:
    """Check the distances of disparity 1 and 0.

    Args:
        near_m: in metres.
        far_m: in metres; infinite = the farthest is at infinity.

    Raises:
        ValueError: not numbers of that range, or the near one is not nearer.
    """
    require_number("near_distance", near_m, LEAST_DISTANCE_M, MOST_DISTANCE_M, "m", "where disparity is 1")
    if far_m != math.inf:
        require_number("far_distance", far_m, LEAST_DISTANCE_M, MOST_DISTANCE_M, "m", "where disparity is 0")
    if near_m >= far_m:
        raise ValueError(
            f"near_distance is {near_m:g} m and far_distance {far_m:g} m; near must be nearer. Far may be "
            "infinite (0 in the node, inf on the command line)."
        )


def inverse_range(near_m: float, far_m: float) -> tuple[float, float]:
    """1 / distance in 1/m where disparity is 1, and where it is 0.

    Raises:
        ValueError: see `require_distances`.
    """
    require_distances(near_m, far_m)
    return 1 / near_m, 1 / far_m


def distance_at(disparity: Tensor, near_m: float, far_m: float) -> Tensor:
    """Distance in metres, float64, at disparities in [0, 1], 1 = near; infinite where 1 / z is 0.

    Raises:
        ValueError: see `require_distances`.
    """
    near, far = inverse_range(near_m, far_m)
    return 1 / (far + (near - far) * disparity.double())


def disparity_at(distance_m: Tensor, near_m: float, far_m: float, name: str = "focus_distance") -> Tensor:
    """Disparity in [0, 1], float64, 1 = near, of points at distances in metres [T].

    Args:
        distance_m: in metres; infinite is allowed.
        near_m: where disparity is 1.
        far_m: where it is 0; may be infinite.
        name: of the distances, for messages.

    Raises:
        ValueError: a distance nearer than `near_m` or farther than `far_m`; see `require_distances`.
    """
    near, far = inverse_range(near_m, far_m)
    disparity = (1 / distance_m.double() - far) / (near - far)
    outside = ~((disparity >= -_SLACK) & (disparity <= 1 + _SLACK))
    if bool(outside.any()):
        frame = int(outside.nonzero()[0])
        raise ValueError(
            f"{name} is {distance_m[frame].item():g} m in frame {frame}, but the scene lies at {near_m:g} to "
            f"{far_m:g} m, and only there something can be in focus; give a distance in that range."
        )
    return disparity.clamp(0, 1)


def thin_lens_strength(
    focal_length_mm: Tensor,
    f_number: Tensor,
    sensor_width_mm: float,
    focus_distance_m: Tensor,
    near_m: float,
    far_m: float,
) -> Tensor:
    """Blur strength K of a thin lens, float64 [T], in px per unit of disparity on a frame 1024 px wide.

    K = W / (2 S) f^2 / N z_f / (z_f - f) (1 / z_near - 1 / z_far), W = 1024 px, S the sensor's width.

    Args:
        focal_length_mm: [T].
        f_number: [T].
        sensor_width_mm: what the width of the frame shows, in mm.
        focus_distance_m: [T], in metres from the lens; may be infinite.
        near_m: distance in metres where disparity is 1.
        far_m: where it is 0; may be infinite.

    Raises:
        ValueError: a focus within the focal length, where nothing can be in focus; see `require_distances`.
    """
    near, far = inverse_range(near_m, far_m)
    focal_m, at_focus = focal_length_mm.double() * _MM, 1 / focus_distance_m.double()
    # z_f / (z_f - f), which is 1 for a focus at infinity.
    extension = 1 - focal_m * at_focus
    if bool((extension <= 0).any()):
        frame = int((extension <= 0).nonzero()[0])
        raise ValueError(
            f"focus_distance is {focus_distance_m[frame].item():g} m in frame {frame}, nearer than the focal "
            f"length of {focal_length_mm[frame].item():g} mm; nothing can be in focus there. Distances are "
            "in metres, focal lengths in millimetres."
        )
    px_per_m = REFERENCE_WIDTH_PX / (sensor_width_mm * _MM)
    return px_per_m / 2 * focal_m**2 / f_number.double() / extension * (near - far)


def breathing_magnification(focal_length_mm: Tensor, focus_distance_m: Tensor) -> Tensor:
    """How much larger things look than where the clip is focused farthest: float64 [T], 1 or more.

    A lens without correction moves away from the sensor to focus nearer, and the field of view narrows:
    1 + f (1 / z_f - 1 / z_0), with z_0 the farthest focus distance.

    Args:
        focal_length_mm: [T].
        focus_distance_m: [T], in metres; may be infinite.
    """
    at_focus = 1 / focus_distance_m.double()
    return 1 + focal_length_mm.double() * _MM * (at_focus - at_focus.min())


def f_stop_label(f_number: Tensor) -> str:
    """`f/1.8`, or `f/1.8 to f/4` of numbers that move."""
    low, high = f_number.aminmax()
    ends = dict.fromkeys(f"f/{value.item():.3g}" for value in (low, high))
    return " to ".join(ends)


def in_words(values: Tensor, unit: str) -> str:
    """`50 mm`, or `35 to 85 mm` of numbers that move."""
    low, high = (value.item() for value in torch.as_tensor(values).aminmax())
    ends = dict.fromkeys("infinity" if math.isinf(value) else f"{value:.4g}" for value in (low, high))
    return f"{' to '.join(ends)} {unit}"
