"""What becomes of everything in a file besides its picture, settled by trial before a frame is rendered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .codecs import CONTAINERS
from .opening import open_video, picture_stream
from .subtitles import text_encoder
from .time_code import TIME_CODE, holds_time_code, time_code_of
from .timing import frame_rate_of
from .trial import encodes, first_packets, holds, layout_of

# Decoded samples -> encoders that store them as they are, the smallest first.
_LOSSLESS = {
    "u8": ("pcm_u8", "pcm_s16le"),
    "s16": ("pcm_s16le",),
    "s32": ("pcm_s32le",),
    "flt": ("pcm_f32le",),
    "dbl": ("pcm_f64le",),
}


@dataclass(frozen=True)
class TrackPlan:
    """How the tracks of a file go into the one to be written.

    Attributes:
        copied: streams whose packets are copied as they are.
        encoded: stream -> encoder, of those that are stored in another way.
        chapters: whether there are any, to be copied.
        time_code: of the first frame, to be written; empty for none.
        lines: a sentence on everything that is not copied as it is.
    """

    copied: tuple[int, ...] = ()
    encoded: Mapping[int, str] = field(default_factory=dict)
    chapters: bool = False
    time_code: str = ""
    lines: tuple[str, ...] = ()


def plan_tracks(source: Path, output: Path, endings: Sequence[str], sound_alone: bool = False) -> TrackPlan:
    """Find out by trial what the file to be written can hold of a source.

    Args:
        source: file with the tracks.
        output: file to be written.
        endings: of files that its picture could be stored in, the usual one first.
        sound_alone: plan for a file that has nothing but the sound whose codec FFmpeg knows, in order.

    Raises:
        ValueError: the output cannot hold the sound, and another ending can.
    """
    with open_video(source) as container:
        planner = _Planner(container, source.name, output.suffix.lower(), endings)
        planner.plan_sound(output.name)
        if sound_alone:
            return planner.plan_of_sound_alone()
        planner.plan_subtitles()
        planner.plan_time_code()
        planner.plan_others()
        return planner.plan()


def has_sound(source: Path) -> bool:
    """Tell whether a file has sound that can be played."""
    with open_video(source) as container:
        return any(is_known_sound(stream) for stream in container.streams.audio)


def ending_for_sound(source: Path, endings: Sequence[str]) -> str:
    """The first ending whose files hold all sound of a file as it is; the first of all if none does."""
    with open_video(source) as container:
        planner = _Planner(container, source.name, endings[0], endings)
        return (planner.endings_for_sound() or endings)[0]


class _Planner:
    """Takes the tracks of an open file one after the other."""

    def __init__(self, container: Any, name: str, ending: str, endings: Sequence[str]) -> None:
        self._name, self._ending, self._endings = name, ending, endings
        picture = picture_stream(container, name)
        self._rate = frame_rate_of(picture)
        self._time_code_found, self._time_code = time_code_of(container), ""
        self._chapters = container.chapters()
        self._streams = {s.index: s for s in container.streams if s.index != picture.index}
        self._first = first_packets(container, [s for s in self._streams.values() if s.type != "video"])
        self._copied: list[int] = []
        self._encoded: dict[int, str] = {}
        self._lines: list[str] = []

    def plan(self) -> TrackPlan:
        return TrackPlan(
            tuple(self._copied), self._encoded, bool(self._chapters), self._time_code, tuple(self._lines)
        )

    def plan_of_sound_alone(self) -> TrackPlan:
        numbers = {index: number for number, index in enumerate(self._known_sounds())}
        if self._chapters or self._of_type("subtitle"):
            self._say(f"Subtitles and chapters of {self._name} are left out, as a part of it is rendered.")
        copied = tuple(numbers[index] for index in self._copied)
        encoded = {numbers[index]: encoder for index, encoder in self._encoded.items()}
        return TrackPlan(copied, encoded, lines=tuple(self._lines))

    def endings_for_sound(self) -> list[str]:
        """Those whose files hold all sound that FFmpeg knows."""
        return [ending for ending in self._endings if self._holds(ending, list(self._known_sounds()))]

    def plan_sound(self, output_name: str) -> None:
        for number, sound in enumerate(self._of_type("audio"), 1):
            if sound.codec_context is not None and not is_known_sound(sound):
                self._say(f"Sound track {number} of {self._name} is empty and left out.")
            elif sound.codec_context is None:
                self._say(
                    f"Sound track {number} of {self._name} is left out: FFmpeg does not know its codec."
                )
        sounds, able = self._known_sounds(), self.endings_for_sound()
        if self._ending in able:
            self._copied += sounds
            self._say_why_this_ending(able)
        elif able:
            raise ValueError(
                f"{output_name} cannot hold {self._described_sound()}; name a file that ends in "
                f"{' or '.join(able)}."
            )
        else:
            for number, index in enumerate(sounds, 1):
                self._plan_sound_alone(number, index)

    def plan_subtitles(self) -> None:
        for number, stream in enumerate(self._of_type("subtitle"), 1):
            index, context = stream.index, stream.codec_context
            codec = "of an unknown codec" if context is None else context.name
            said = f"Subtitles {number} of {self._name} are {codec}, which {self._ending} cannot hold"
            if self._holds(self._ending, [*self._copied, index]):
                self._copied.append(index)
            elif encoder := text_encoder(stream, CONTAINERS[self._ending]):
                self._encoded[index] = encoder
                self._say(f"{said}; they are stored as {encoder}: texts and times stay, not all styles.")
            else:
                able = [ending for ending in self._endings if self._holds(ending, [index])]
                self._say(f"{said}{f'; {able[0]} can' if able else ''}. They are left out.")

    def plan_time_code(self) -> None:
        text = self._time_code_found
        if text and holds_time_code(CONTAINERS[self._ending], text, self._rate):
            self._time_code = text
        elif text:
            self._say(
                f"The time code {text} of {self._name} is left out: {self._ending} cannot hold it at "
                f"{float(self._rate):.6g} frames a second here."
            )

    def plan_others(self) -> None:
        left_out: Counter[str] = Counter()
        for stream in self._streams.values():
            if stream.type in ("audio", "subtitle") or self._goes_with_the_film(stream):
                continue
            if stream.type == "video":
                left_out["video or picture"] += 1
            elif self._holds(self._ending, [*self._copied, stream.index]):
                self._copied.append(stream.index)
            else:
                left_out[f"{stream.type} ({_name_of(stream)})"] += 1
        if left_out:
            each = ", ".join(f"{count} x {what}" for what, count in left_out.items())
            self._say(f"Other tracks of {self._name} are left out: {each}.")

    def _plan_sound_alone(self, number: int, index: int) -> None:
        """Sound that no ending holds is stored sample for sample."""
        context = self._streams[index].codec_context
        said = f"Sound track {number} of {self._name} is {context.name}, which {self._ending} cannot hold"
        if self._holds(self._ending, [index]):
            self._copied.append(index)
        elif encoder := _lossless(context, self._ending):
            self._encoded[index] = encoder
            self._say(f"{said}; it is stored as {encoder}, sample for sample.")
        else:
            self._say(f"{said}, nor its samples. It is left out.")

    def _say_why_this_ending(self, able: Sequence[str]) -> None:
        usual = self._endings[0]
        if usual not in able:
            self._say(f"Written as {self._ending}: {usual} cannot hold {self._described_sound()}.")
        known = self._known_sounds()
        numbers = [number for number, sound in enumerate(self._of_type("audio"), 1) if sound.index in known]
        codecs = [sound.codec_context.name for sound in known.values()]
        pcm = [number for number, codec in zip(numbers, codecs, strict=True) if codec.startswith("pcm_")]
        if self._ending == ".mp4" and pcm:
            which = f"Sound track {' and '.join(map(str, pcm))}" if len(pcm) < len(codecs) else "The sound"
            self._say(
                f"{which} of {self._name} is PCM and stays so; many players do not play that in .mp4"
                f"{', but in .mov they do' if '.mov' in able else ''}."
            )

    def _described_sound(self) -> str:
        codecs = [sound.codec_context.name for sound in self._known_sounds().values()]
        if len(set(codecs)) == 1:
            return f"the sound of {self._name}, which is {codecs[0]}"
        each = ", ".join(f"track {number} {codec}" for number, codec in enumerate(codecs, 1))
        return f"the sound of {self._name} ({each})"

    def _known_sounds(self) -> dict[int, Any]:
        return {s.index: s for s in self._of_type("audio") if is_known_sound(s)}

    def _of_type(self, kind: str) -> list[Any]:
        return [stream for stream in self._streams.values() if stream.type == kind]

    def _goes_with_the_film(self, stream: Any) -> bool:
        # MP4 has the time code, and the titles of chapters, in tracks; what is written makes its own of them.
        if stream.type != "data":
            return False
        if TIME_CODE in stream.metadata:
            return True
        return bool(self._chapters) and stream.index not in self._first

    def _holds(self, ending: str, indices: Sequence[int]) -> bool:
        return holds(CONTAINERS[ending], [(self._streams[i], self._first.get(i, ())) for i in indices])

    def _say(self, line: str) -> None:
        self._lines.append(line)


def is_known_sound(stream: Any) -> bool:
    """Tell whether a track of sound is of a codec that FFmpeg knows, and has any sound in it."""
    context = stream.codec_context
    return context is not None and context.sample_rate > 0 and context.layout.nb_channels > 0


def _name_of(stream: Any) -> str:
    return stream.metadata.get("handler_name") or getattr(stream, "name", None) or "unknown"


def _lossless(context: Any, ending: str) -> str | None:
    """An encoder that stores decoded samples as they are and that a container takes."""
    # Tracks without a packet that decodes have no format of samples.
    if context.format is None:
        return None
    settings = {"rate": context.sample_rate, "layout": layout_of(context)}
    for encoder in _LOSSLESS.get(context.format.name.removesuffix("p"), ()):
        if encodes(CONTAINERS[ending], encoder, **settings):
            return encoder
    return None
