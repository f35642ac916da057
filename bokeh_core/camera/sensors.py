"""Widths of sensors and film gates, by the names that cameras are sold and talked about with."""

import re

from ..setting_checks import require_number

SENSORS = {
    "full frame": 36.0,
    "Super 35": 24.89,
    "APS-C": 23.5,
    "APS-C 1.6x": 22.3,
    "Micro Four Thirds": 17.3,
    "1 inch": 13.2,
    "1/1.3 inch phone": 9.8,
    "2/3 inch": 8.8,
    "1/2.3 inch": 6.17,
    "Super 16": 12.52,
    "Super 8": 5.79,
    "65 mm film": 52.48,
    "medium format 44 x 33": 43.8,
    "IMAX 70 mm": 70.41,
}
"""Width of the picture in mm where the whole width is used; a crop for video is narrower."""

LEAST_WIDTH_MM, MOST_WIDTH_MM = 1.0, 300.0


def sensor_width_mm(text: str) -> float:
    """Width in mm that a name of a sensor, or a number, says; capitals, blanks and hyphens do not count.

    Raises:
        ValueError: neither, or a width outside of 1 to 300 mm.
    """
    plain = _plain(text)
    for name, width in SENSORS.items():
        if plain == _plain(name):
            return width
    try:
        width = float(re.sub(r"\s*mm$", "", text.strip()))
    except ValueError:
        raise ValueError(
            f"There is no sensor {text!r:.60}; give its width in mm, or one of {', '.join(SENSORS)}."
        ) from None
    require_sensor_width(width)
    return width


def require_sensor_width(width_mm: float) -> None:
    """Check the width of a sensor.

    Raises:
        ValueError: outside of 1 to 300 mm.
    """
    require_number(
        "sensor_width", width_mm, LEAST_WIDTH_MM, MOST_WIDTH_MM, "mm", "36 = full frame, 24.89 = Super 35"
    )


def _plain(text: str) -> str:
    return re.sub(r"[\s_-]+", "", text).lower()
