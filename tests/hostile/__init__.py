"""Inputs that nobody should send, by the hundred thousand: each must end in a right answer or a ValueError.

A kind of input is a module of this package with

    NAME: str                                                      what is attacked
    def run(seed: int, count: int, folder: Path) -> Counter[str]   try `count` inputs, count the outcomes

`run` raises AssertionError unless the outcome is a right answer or a ValueError of ours; the same seed
and count give the same inputs. `python -m tests.hostile` runs all kinds, `tests/core/test_hostile.py` a few
inputs of each.
"""
