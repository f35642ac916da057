"""A camera in millimetres and metres -> the blur strength, the focus and the breathing that belong to it."""

from .breathing import breathe
from .camera import Camera, CameraPath
from .sensors import SENSORS, sensor_width_mm
from .thin_lens import disparity_at, distance_at, thin_lens_strength

__all__ = [
    "SENSORS",
    "Camera",
    "CameraPath",
    "breathe",
    "disparity_at",
    "distance_at",
    "sensor_width_mm",
    "thin_lens_strength",
]
