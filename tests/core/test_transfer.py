"""Transfer functions against values of the standards, and the way there and back."""

import math

import pytest
import torch

from bokeh_core.transfer import TRANSFERS, WHITE_CD_M2, as_picture, converted, light_of, values_of


# SMPTE ST 2084's values of ITU-R BT.2408, table 1: 100, 203, 1000 and 10,000 cd/m2.
@pytest.mark.parametrize(
    ("cd_m2", "signal"), [(0.0, 0.0), (100, 0.5081), (203, 0.5807), (1000, 0.7518), (10000, 1.0)]
)
def test_pq_is_that_of_the_standard(cd_m2: float, signal: float):
    assert values_of(torch.tensor([cd_m2 / WHITE_CD_M2]), "pq").item() == pytest.approx(signal, abs=6e-5)
    assert light_of(torch.tensor([signal]), "pq").item() * WHITE_CD_M2 == pytest.approx(cd_m2, rel=1e-3)


# ITU-R BT.2100: the signal is sqrt(3 E) up to a half, which is E = 1/12, and 1 at E = 1; white is at 0.75,
# which is E = (exp((0.75 - c) / a) + b) / 12 = 0.264963.
@pytest.mark.parametrize(
    ("scene", "signal"), [(0.0, 0.0), (1 / 48, 0.25), (1 / 12, 0.5), (0.264963, 0.75), (1.0, 1.0)]
)
def test_hlg_is_that_of_the_standard(scene: float, signal: float):
    white = 0.264963
    assert values_of(torch.tensor([scene / white]), "hlg").item() == pytest.approx(signal, abs=1e-5)
    assert light_of(torch.tensor([signal]), "hlg").item() * white == pytest.approx(scene, abs=1e-5)


def test_display_values_have_a_gamma_of_2_2():
    assert light_of(torch.tensor([0.5]), "display").item() == pytest.approx(0.5**2.2, rel=1e-6)


@pytest.mark.parametrize("name", TRANSFERS)
def test_there_and_back_keeps_numbers_of_either_sign(name: str):
    # A sixteenth of a level of 12 bits, and what a codec stores beyond white.
    values = torch.cat([torch.linspace(-0.07, 1.09, 200), torch.tensor([0.0, 1e-4])])
    assert (values_of(light_of(values, name), name) - values).abs().max() < 1 / 16 / 4095
    assert light_of(values, name).sign().equal(values.sign())


@pytest.mark.parametrize("name", ["display", "linear", "pq"])
def test_light_of_the_sun_has_a_number(name: str):
    light = torch.tensor([50_000.0])
    assert light_of(values_of(light, name), name).item() == pytest.approx(50_000, rel=5e-3)


def test_brightness_of_a_display():
    pq, hlg = TRANSFERS["pq"].cd_m2, TRANSFERS["hlg"].cd_m2
    assert pq is not None and hlg is not None
    assert pq(2) == 406
    # BT.2408: HLG's white is 203 cd/m2 on a display of 1000, whose full signal is 1000.
    assert hlg(1.0) == pytest.approx(203, abs=0.5)
    assert hlg(1 / 0.264963) == pytest.approx(1000, rel=1e-4)


def test_alpha_is_no_light():
    frame = torch.tensor([[[0.25, 0.25, 4.0, 0.25]]])
    assert converted(frame, "linear", "display")[0, 0].tolist() == pytest.approx(
        [0.25 ** (1 / 2.2), 0.25 ** (1 / 2.2), 4 ** (1 / 2.2), 0.25]
    )


def test_a_picture_of_light_ends_at_white():
    frame = torch.tensor([[[-0.5, 0.5, 40.0]]])
    assert as_picture(frame, "linear")[0, 0].tolist() == pytest.approx([0, 0.5 ** (1 / 2.2), 1])
    assert as_picture(frame, "pq") is frame
    assert not math.isnan(as_picture(frame, "linear").sum().item())
