"""Training sees the faults that the evaluation knows, as often as it is told, and the same again."""

import torch

from bokeh_lab.evaluate.faults import FAULTS
from bokeh_lab.scenes.draws import Draws
from bokeh_lab.train.faults_over_time import FaultsOverTime, spoiled

MAPS = torch.linspace(0.1, 0.6, 32).expand(4, 24, 32).contiguous()
MAPS[:, 8:16, 8:16] = 0.9
SUBJECT = MAPS == 0.9
FOCUS = torch.full((4,), 0.9)


def test_clips_without_a_fault_are_left_alone():
    found, focus = spoiled(MAPS, FOCUS, SUBJECT, FaultsOverTime(probability=0.0), Draws.named(1))
    assert found is MAPS and focus is FOCUS


def test_the_focus_is_measured_on_the_subject_in_the_map_at_hand():
    faults = FaultsOverTime(probability=1.0, kinds=("flicker",), amounts=(1.0, 1.0))
    found, focus = spoiled(MAPS, FOCUS, SUBJECT, faults, Draws.named(2))
    again, _ = spoiled(MAPS, FOCUS, SUBJECT, faults, Draws.named(2))
    assert torch.equal(found, again)
    assert float((found - MAPS).abs().max()) > 0.01
    for t in range(4):
        torch.testing.assert_close(focus[t], found[t][SUBJECT[t]].median(), rtol=0, atol=1e-6)


def test_gradual_faults_are_of_any_amount_and_every_kind_is_known():
    none = FaultsOverTime(probability=1.0, kinds=("wobble",), amounts=(0.0, 0.0))
    torch.testing.assert_close(spoiled(MAPS, FOCUS, SUBJECT, none, Draws.named(3))[0], MAPS)
    assert set(FaultsOverTime().kinds) <= set(FAULTS)
