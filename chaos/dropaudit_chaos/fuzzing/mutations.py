"""Changes of right inputs."""

from __future__ import annotations

import random


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return a mutation of content: bytes changed, cut out, doubled, or put in."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place = rng.randrange(len(changed) + 1)
        size = rng.choice((1, 1, 2, 8, 64))
        match rng.randrange(6):
            case 0:
                changed[place : place + size] = rng.randbytes(size)
            case 1:
                del changed[place : place + size]
            case 2:
                changed[place:place] = changed[place : place + size]
            case 3:
                changed[place:place] = rng.randbytes(size)
            case 4 if place < len(changed):
                changed[place] ^= 1 << rng.randrange(8)
            case _:
                changed[place : place + 1] = rng.choice((b"\x00", b"\xff", b"\x7f", b"\x80\x80\x80\x80\x08"))
    return bytes(changed)
