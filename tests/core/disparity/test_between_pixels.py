"""Values of a plane at places between its pixels."""

import numpy as np
import pytest

from bokeh_core.disparity.between_pixels import sampled


@pytest.mark.parametrize("shape", [(7,), (3, 5), (40_000,), (40_000, 2), (0,), (0, 9)])
def test_a_slant_goes_on_between_its_pixels_for_places_of_any_shape(shape: tuple[int, ...]):
    slant = (2 * np.arange(30.0)[:, None] + 5 * np.arange(50.0)).astype(np.float32)
    random = np.random.default_rng(0)
    # Eighths of a px, which OpenCV's table of weights has exactly.
    y, x = ((random.integers(0, 8 * side + 1, shape) / 8).astype(np.float32) for side in (29, 49))
    found = sampled(slant, y, x)
    assert found.shape == shape
    np.testing.assert_allclose(found, 2 * y + 5 * x, rtol=0, atol=1e-3)


def test_beyond_the_border_lies_the_nearest_pixel():
    places = np.array([-5.0, 9.0], np.float32)
    plane = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert sampled(plane, places, places).tolist() == [0.0, 11.0]
