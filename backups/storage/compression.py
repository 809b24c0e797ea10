"""zstd, from the standard library where Python has it, with parameters chosen for rows of measurements."""

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter, ZstdCompressor, ZstdDecompressor, ZstdError
else:
    from backports.zstd import CompressionParameter, ZstdCompressor, ZstdDecompressor, ZstdError

__all__ = ["ZstdDecompressor", "ZstdError", "make_compressor"]

# Rows resemble those just before them. A small table of matches that stays in the processor's first cache, short memory
# and matches of six bytes and more make of readings, with noise and without, less than level 1 and level 3 (pg_dump's
# own) do, in three quarters and half of their time; of JSON about the same, of prose a fifth to a third more.
# The checksum of the plain text at a stream's end costs a twentieth of a SHA-256.
OPTIONS: dict[int, int] = {CompressionParameter.compression_level: 1, CompressionParameter.window_log: 17,
                           CompressionParameter.hash_log: 9, CompressionParameter.min_match: 6,
                           CompressionParameter.checksum_flag: 1}


def make_compressor() -> ZstdCompressor:
    """A compressor for one stream."""
    return ZstdCompressor(options=OPTIONS)
