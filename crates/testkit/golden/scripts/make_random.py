"""Golden files of the random generators.

Philox4x32-10 is written out here (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011) and held to
the three known answers of the authors' Random123 package before more answers are made with it. SplitMix64 (Steele, Lea, Flood,
OOPSLA 2014) is held to the published sequence of seed 1234567.
"""

import math

from common import Area

AREA = Area("random")
M32 = (1 << 32) - 1
M64 = (1 << 64) - 1


def philox(counter, key):
    counter, key = list(counter), list(key)
    for _ in range(10):
        low0, low1 = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(low1 >> 32) ^ counter[1] ^ key[0], low1 & M32, (low0 >> 32) ^ counter[3] ^ key[1], low0 & M32]
        key = [(key[0] + 0x9E3779B9) & M32, (key[1] + 0xBB67AE85) & M32]
    return counter


def words(text):
    return [int(w, 16) for w in text.split()]


def splitmix(state):
    state = (state + 0x9E3779B97F4A7C15) & M64
    mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & M64
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & M64
    return state, mixed ^ (mixed >> 31)


PUBLISHED = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
MORE = [
    ("00000001 00000000 00000000 00000000", "00000000 00000000"),
    ("00000000 00000001 00000000 00000000", "00000000 00000000"),
    ("00000000 00000000 00000001 00000000", "00000000 00000000"),
    ("00000000 00000000 00000000 00000001", "00000000 00000000"),
    ("00000000 00000000 00000000 00000000", "00000001 00000000"),
    ("00000000 00000000 00000000 00000000", "00000000 00000001"),
    ("ffffffff 00000000 00000000 00000000", "deadbeef cafef00d"),
]

answers = []
for counter, key, expected in PUBLISHED:
    assert philox(words(counter), words(key)) == words(expected), counter
    answers.append({"counter": counter, "key": key, "output": expected, "source": "Random123 known answers"})
for counter, key in MORE:
    output = " ".join(f"{w:08x}" for w in philox(words(counter), words(key)))
    answers.append({"counter": counter, "key": key, "output": output, "source": "make_random.py"})
AREA.json("philox4x32_10.json", answers)

sequences = []
for seed in [1234567, 0, M64]:
    state, values = seed, []
    for _ in range(8):
        state, value = splitmix(state)
        values.append(str(value))
    sequences.append({"seed": str(seed), "values": values})
assert sequences[0]["values"][:5] == [
    "6457827717110365317", "3203168211198807973", "9817491932198370423", "4593380528125082431", "16408922859458223821",
]
AREA.json("splitmix64.json", sequences)

# From 64 random bits to a number: the top 53 bits over 2^53, so 0 is possible and 1 is not.
UNITS = [0, 1, 2047, 2048, 1 << 63, M64, int(sequences[0]["values"][0])]
AREA.json("unit_interval.json", [{"bits": str(b), "value": (b >> 11) * 2.0**-53} for b in UNITS])

# Box-Muller of two uniform numbers, u1 in (0, 1]: sqrt(-2 ln u1) (cos, sin)(2 pi u2), within a few units in the last place.
PAIRS = [(1.0, 0.0), (0.5, 0.25), (0.5, 0.125), (2.0**-53, 0.7), (0.1, 0.999), (0.75, 0.5), (0.9999, 0.3)]
AREA.json("box_muller.json", [
    {"u1": a, "u2": b, "cosine": math.sqrt(-2 * math.log(a)) * math.cos(2 * math.pi * b), "sine": math.sqrt(-2 * math.log(a)) * math.sin(2 * math.pi * b)}
    for a, b in PAIRS
])
AREA.finish()
