"""What Mitsuba's cameras see of a scene: sharp through a pinhole, blurred through a thin lens, and depth."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .runtime import mitsuba
from .scenes import SolidScene
from .solids import Lamp, Panel, Solid

_RAYS_A_PASS = 128
_MOST_PASSES = 256
# Of a picture against the mean of endless rays; the next one is closer.
NOISE_DB = 52.0
_SUBPIXELS = 4
_BLACK = {"type": "diffuse", "reflectance": {"type": "rgb", "value": 0.0}}


@dataclass(frozen=True)
class Camera:
    """Where a scene is seen from.

    Attributes:
        height, width: of the frame in px.
        x: how far the camera has moved to the right.
        aperture_radius: of the lens, in the unit of the scene; 0 = a pinhole.
        focus_z: distance of the focal plane along the axis.
    """

    height: int
    width: int
    x: float = 0.0
    aperture_radius: float = 0.0
    focus_z: float = 1.0


def focal_length_px(scene: SolidScene, width: int) -> float:
    """Distance of the frame from the pinhole, in px."""
    return width / (2 * math.tan(math.radians(scene.field_of_view_deg) / 2))


def blur_strength_px(aperture_radius: float, nearest: float, farthest: float, focal_px: float) -> float:
    """K: blur radius in px per unit of disparity (Eq. 1), where 0 is `farthest` and 1 is `nearest` of 1 / z.

    A point at z is imaged as a disk of radius `focal_px` * `aperture_radius` * |1 / z - 1 / z_focus|.
    """
    return focal_px * aperture_radius * (nearest - farthest)


class Film:
    """One scene, loaded into Mitsuba once."""

    def __init__(self, scene: SolidScene, gamma: float) -> None:
        """Load a scene; the light of its pictures is display ** gamma.

        Raises:
            ValueError: Mitsuba is not installed.
        """
        self._mi = mi = mitsuba()
        self._scene, self._gamma = scene, gamma
        solids = {f"solid{i}": _mesh(mi, f"solid{i}", solid, gamma) for i, solid in enumerate(scene.solids)}
        dark = {f"lamp{i}": _lamp(lamp, lit=False) for i, lamp in enumerate(scene.lamps)}
        panels = {f"panel{i}": _panel(mi, panel) for i, panel in enumerate(scene.panels)}
        # What shines is seen at once, what lacquer mirrors after one more way.
        mirrors = any(solid.roughness is not None for solid in scene.solids)
        integrator = {"type": "path", "max_depth": 2 if mirrors else 1}
        self._surfaces = mi.load_dict({"type": "scene", "integrator": integrator, **solids, **dark, **panels})
        self._lamps = None
        if scene.lamps:
            black = {f"solid{i}": _mesh(mi, f"black{i}", solid, None) for i, solid in enumerate(scene.solids)}
            lit = {f"lamp{i}": _lamp(lamp, lit=True) for i, lamp in enumerate(scene.lamps)}
            self._lamps = mi.load_dict(
                {"type": "scene", "integrator": {"type": "ptracer", "max_depth": 1}, **black, **lit}
            )

    def light(self, camera: Camera, seed: int) -> np.ndarray:
        """Linear light [H, W, 3], each pixel the mean over its square and over the lens.

        Passes of rays are added until what they differ by says that the noise of the display values is below
        `NOISE_DB`.

        Raises:
            ValueError: it is not after a great many.
        """
        total = np.zeros((camera.height, camera.width, 3))
        total_square = total.copy()
        for number in range(_MOST_PASSES):
            one = self._pass(camera, 2 * (seed * _MOST_PASSES + number))
            total, total_square = total + one, total_square + one**2
            count = number + 1
            if count >= 4 and self._noise_db(total, total_square, count) > NOISE_DB:
                return np.asarray(total / count, np.float32)
        raise ValueError(
            f"The picture has more noise than {NOISE_DB:g} dB after {_MOST_PASSES * _RAYS_A_PASS} rays a "
            "pixel."
        )

    def depth(self, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
        """1 / z along the axis of what the pinhole sees, 0 where nothing is.

        Returns:
            float64 [H, W] at the centres of the pixels, and the mean over each pixel's square.
        """
        fine = self._inverse_depth(camera, _SUBPIXELS)
        shape = (camera.height, _SUBPIXELS, camera.width, _SUBPIXELS)
        return self._inverse_depth(camera, 1), fine.reshape(shape).mean(axis=(1, 3))

    def _pass(self, camera: Camera, seed: int) -> np.ndarray:
        mi = self._mi
        sensor = self._sensor(camera)
        light = np.array(mi.render(self._surfaces, sensor=sensor, spp=_RAYS_A_PASS, seed=seed), np.float64)
        if self._lamps is not None:
            # From the lamps to the lens: few rays of a camera find a lamp.
            light += np.array(
                mi.render(self._lamps, sensor=sensor, spp=_RAYS_A_PASS, seed=seed + 1), np.float64
            )
        return light

    def _noise_db(self, total: np.ndarray, total_square: np.ndarray, count: int) -> float:
        mean = total / count
        variance = np.maximum(total_square / count - mean**2, 0) / (count - 1)
        # In display values, as far as these are not clipped.
        slope = np.maximum(mean, 1e-3) ** (1 / self._gamma - 1) / self._gamma
        return float(-10 * math.log10(max(float((variance * slope**2 * (mean < 1)).mean()), 1e-12)))

    def _sensor(self, camera: Camera) -> Any:
        mi = self._mi
        eye = mi.ScalarTransform4f().look_at(
            origin=[camera.x, 0.0, 0.0], target=[camera.x, 0.0, 1.0], up=[0.0, -1.0, 0.0]
        )
        film = {
            "type": "hdrfilm",
            "width": camera.width,
            "height": camera.height,
            "rfilter": {"type": "box"},
            "pixel_format": "rgb",
            "component_format": "float32",
        }
        lens: dict[str, Any] = {"type": "perspective"}
        if camera.aperture_radius > 0:
            lens = {
                "type": "thinlens",
                "aperture_radius": camera.aperture_radius,
                "focus_distance": camera.focus_z,
            }
        return mi.load_dict(
            lens
            | {
                "fov": self._scene.field_of_view_deg,
                "fov_axis": "x",
                "near_clip": 1e-3,
                "far_clip": 1e6,
                "to_world": eye,
                "film": film,
                "sampler": {"type": "multijitter", "sample_count": _RAYS_A_PASS},
            }
        )

    def _inverse_depth(self, camera: Camera, subpixels: int) -> np.ndarray:
        mi = self._mi
        rows, columns = camera.height * subpixels, camera.width * subpixels
        focal = focal_length_px(self._scene, camera.width)
        y, x = np.mgrid[:rows, :columns]
        across = ((x.ravel() + 0.5) / subpixels - camera.width / 2) / focal
        down = ((y.ravel() + 0.5) / subpixels - camera.height / 2) / focal
        length = np.sqrt(across**2 + down**2 + 1)
        if mi.variant().startswith("scalar"):
            distance = np.array([self._hit(camera, *ray) for ray in zip(across, down, length, strict=True)])
        else:
            direction = mi.Vector3f(across / length, down / length, 1 / length)
            origin = mi.Point3f(camera.x, 0.0, 0.0)
            distance = np.array(self._surfaces.ray_intersect_preliminary(mi.Ray3f(origin, direction)).t)
        hit = np.isfinite(distance) & (distance > 0)
        inverse = np.divide(length, distance, out=np.zeros_like(length), where=hit)
        return inverse.reshape(rows, columns)

    def _hit(self, camera: Camera, across: float, down: float, length: float) -> float:
        mi = self._mi
        ray = mi.Ray3f(
            mi.Point3f(camera.x, 0.0, 0.0), mi.Vector3f(across / length, down / length, 1 / length)
        )
        return float(self._surfaces.ray_intersect_preliminary(ray).t)


def _mesh(mi: Any, name: str, solid: Solid, gamma: float | None) -> Any:
    """A solid as a mesh that shines with its picture, or black without a gamma."""
    properties = mi.Properties()
    properties["bsdf"] = mi.load_dict(_BLACK if solid.roughness is None else _lacquer(solid.roughness))
    if gamma is not None:
        light = solid.picture.permute(1, 2, 0).numpy().astype(np.float32) ** np.float32(gamma)
        # Rows of a picture go down, those of a texture up.
        bitmap = mi.Bitmap(np.ascontiguousarray(light[::-1]))
        radiance = {"type": "bitmap", "bitmap": bitmap, "raw": True, "wrap_mode": "clamp"}
        properties["emitter"] = mi.load_dict({"type": "area", "radiance": radiance})
    mesh = mi.Mesh(
        name,
        len(solid.points),
        len(solid.faces),
        # Mirrors are round, not of facets.
        has_vertex_normals=solid.roughness is not None,
        has_vertex_texcoords=True,
        props=properties,
    )
    places = solid.places.copy()
    places[:, 1] = 1 - places[:, 1]
    values = mi.traverse(mesh)
    values["vertex_positions"] = solid.points.ravel()
    values["faces"] = solid.faces.ravel()
    values["vertex_texcoords"] = places.ravel()
    values.update()
    return mesh


def _lacquer(roughness: float) -> dict[str, Any]:
    return {
        "type": "roughconductor",
        "material": "none",
        "alpha": roughness,
        "specular_reflectance": {"type": "rgb", "value": 0.2},
    }


def _panel(mi: Any, panel: Panel) -> dict[str, Any]:
    to_world = mi.ScalarTransform4f().look_at(
        origin=list(panel.middle), target=list(panel.target), up=[0.0, 0.0, 1.0]
    ) @ mi.ScalarTransform4f().scale(panel.side / 2)
    return {
        "type": "rectangle",
        "to_world": to_world,
        "bsdf": _BLACK,
        "emitter": {"type": "area", "radiance": {"type": "rgb", "value": panel.light}},
    }


def _lamp(lamp: Lamp, *, lit: bool) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "type": "sphere",
        "center": list(lamp.middle),
        "radius": lamp.radius,
        "bsdf": _BLACK,
    }
    if lit:
        shape["emitter"] = {"type": "area", "radiance": {"type": "rgb", "value": list(lamp.light)}}
    return shape
