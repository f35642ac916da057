"""Scenes of real geometry, and what a pinhole and a thin lens of Mitsuba 3 see of them.

Unlike `raytrace`, nothing of it decides what hides what, how a lens samples a scene or how rays are averaged:
that is the renderer's own. `pip install mitsuba`; nothing else in the laboratory needs it.
"""
