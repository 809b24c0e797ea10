"""zstd, from the standard library where it has it, set for rows of measurements."""

import sys

if sys.version_info >= (3, 14):
    from compression.zstd import CompressionParameter, ZstdCompressor, ZstdDecompressor, ZstdError
else:
    from backports.zstd import CompressionParameter, ZstdCompressor, ZstdDecompressor, ZstdError

__all__ = ["ZstdDecompressor", "ZstdError", "make_compressor"]

# Rows resemble those just before them. A table of matches that stays in the processor's first cache, short memory and
# matches of six bytes and more make of COPY's text a tenth less than level 1 does, in three quarters of its time, and
# less than level 3, pg_dump's own, in half: of readings with and without noise, of texts and of JSON.
OPTIONS: dict[int, int] = {CompressionParameter.compression_level: 1, CompressionParameter.window_log: 17,
                           CompressionParameter.hash_log: 10, CompressionParameter.min_match: 6}


def make_compressor() -> ZstdCompressor:
    """A compressor of one stream."""
    return ZstdCompressor(options=OPTIONS)
