"""What somebody who leaves a message sounds like on the stand-in."""

from __future__ import annotations

import io
import math
import wave

RATE = 8_000
"""Samples a second, as on a telephone."""


def hum(*, seconds: float = 2.0, hertz: int = 220) -> bytes:
    """A tone as a WAV file."""
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(RATE)
        waves = (math.sin(2 * math.pi * hertz * n / RATE) for n in range(int(seconds * RATE)))
        sound.writeframes(bytes(round(128 + 40 * height) for height in waves))
    return written.getvalue()
