"""Values from the tables of ITU-T G.711, in the units of the tables (mu-law: 14 bits, A-law: 13)."""

from __future__ import annotations

from interpretd_client.g711 import (
    alaw_to_linear,
    linear,
    linear_to_alaw,
    linear_to_mulaw,
    mulaw_to_linear,
    samples,
)

#: Character signal and quantized value, positive; the ends of the eight segments (table 2a).
MULAW = {
    0x80: 8031,
    0x8F: 4191,
    0x90: 3999,
    0x9F: 2079,
    0xAF: 1023,
    0xBF: 495,
    0xCF: 231,
    0xDF: 99,
    0xEF: 33,
    0xFE: 2,
    0xFF: 0,
}
#: The same for A-law (table 1a), with even bits inverted as they are sent.
ALAW = {
    0xAA: 4032,
    0xA5: 2112,
    0xBA: 2016,
    0xB5: 1056,
    0x85: 528,
    0x95: 264,
    0xE5: 132,
    0xF5: 66,
    0xC5: 33,
    0xD5: 1,
}

EVERY_SAMPLE = list(range(-32768, 32768))


def test_mulaw_values() -> None:
    for code, value in MULAW.items():
        assert list(samples(mulaw_to_linear(bytes([code, code ^ 0x80])))) == [4 * value, -4 * value]


def test_alaw_values() -> None:
    for code, value in ALAW.items():
        assert list(samples(alaw_to_linear(bytes([code, code ^ 0x80])))) == [8 * value, -8 * value]


def test_mulaw_decision_values() -> None:
    # Table 2a: the interval of 8031 begins at 7903, that of 4191 at 4063, that of 99 at 95, that of 2 at 1.
    for decision, below, above in (
        (7903, 0x81, 0x80),
        (4063, 0x90, 0x8F),
        (95, 0xE0, 0xDF),
        (1, 0xFF, 0xFE),
    ):
        codes = linear_to_mulaw(encode([4 * decision - 1, 4 * decision, -4 * decision + 1, -4 * decision]))
        assert list(codes) == [below, above, below ^ 0x80, above ^ 0x80]


def test_alaw_decision_values() -> None:
    # Table 1a: the interval of 4032 begins at 3968, that of 2112 at 2048, that of 66 at 64, that of 3 at 2.
    for decision, below, above in ((3968, 0xAB, 0xAA), (2048, 0xBA, 0xA5), (64, 0xCA, 0xF5), (2, 0xD5, 0xD4)):
        codes = linear_to_alaw(encode([8 * decision - 1, 8 * decision, -8 * decision + 1, -8 * decision]))
        assert list(codes) == [below, above, below ^ 0x80, above ^ 0x80]


def test_every_sample_gets_a_near_value() -> None:
    for there, back in ((linear_to_mulaw, mulaw_to_linear), (linear_to_alaw, alaw_to_linear)):
        values = samples(back(there(encode(EVERY_SAMPLE))))
        for sample, value in zip(EVERY_SAMPLE, values, strict=True):
            # Half the step of the sample's segment; beyond the largest value, what is cut off.
            allowed = max((abs(sample) + 132) / 32 + 1, 8, abs(sample) - 32124)
            assert abs(sample - value) <= allowed, (sample, value)


def test_every_code_is_the_code_of_its_value() -> None:
    codes = bytes(range(256))
    assert linear_to_alaw(alaw_to_linear(codes)) == codes
    # Mu-law has two codes for nothing.
    assert linear_to_mulaw(mulaw_to_linear(codes)) == codes.replace(b"\x7f", b"\xff")


def encode(values: list[int]) -> bytes:
    return b"".join(value.to_bytes(2, "little", signed=True) for value in values)


def test_samples_are_little_endian() -> None:
    assert list(samples(b"\x01\x02\xff\xff")) == [0x0201, -1]
    assert linear(samples(b"\x01\x02\xff\xff")) == b"\x01\x02\xff\xff"
