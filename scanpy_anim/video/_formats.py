"""The formats, by suffix: what writes them and what they can hold."""

from __future__ import annotations

from scanpy_anim.video._apng import encode_apng
from scanpy_anim.video._gif import encode_gif
from scanpy_anim.video._options import Format
from scanpy_anim.video._page import encode_page
from scanpy_anim.video._pillow import encode_avif, encode_webp
from scanpy_anim.video._stream import encode_mov, encode_mp4, encode_webm

# ITU-T H.264 table A-1, VP9 and AV1 alike: the largest picture of any level. Their encoders need
# up to 130 bytes a pixel, 4.6 GB for that one; those of pictures up to 25, 3.4 GB for the largest.
_CODEC_PIXELS = 35_651_584
_PICTURE_PIXELS = 1 << 27

# a frame stays for 65,535 hundredths of a second (gif) or tenths (apng), 2**24 - 1 thousandths
# (webp), 2**31 - 1 ticks (mp4); browsers show what is as short as 10 ms for 100 ms
FORMATS: dict[str, Format] = {
    format.suffix: format
    for format in (
        Format(
            suffix=".gif",
            title="GIF",
            encode=encode_gif,
            library="PyAV",
            encoder="gif",
            instead=".webp",
            max_side=65_535,
            max_pixels=_PICTURE_PIXELS,
            max_seconds=655.35,
            max_fps=50,
        ),
        Format(
            suffix=".mp4",
            title="MP4 (H.264)",
            encode=encode_mp4,
            library="PyAV",
            encoder="libx264",
            instead=".webm",
            max_side=16_384,
            max_pixels=_CODEC_PIXELS,
            max_seconds=23_860,
            max_fps=1000,
        ),
        Format(
            suffix=".mov",
            title="QuickTime movie (H.264)",
            encode=encode_mov,
            library="PyAV",
            encoder="libx264",
            instead=".webm",
            max_side=16_384,
            max_pixels=_CODEC_PIXELS,
            max_seconds=23_860,
            max_fps=1000,
        ),
        Format(
            suffix=".webm",
            title="WebM (VP9)",
            encode=encode_webm,
            library="PyAV",
            encoder="libvpx-vp9",
            instead=".mp4",
            max_side=16_384,
            max_pixels=_CODEC_PIXELS,
            max_seconds=86_400,
            max_fps=1000,
        ),
        Format(
            suffix=".webp",
            title="animated WebP",
            encode=encode_webp,
            library="Pillow",
            encoder="webp",
            instead=".gif",
            max_side=16_383,
            max_pixels=_PICTURE_PIXELS,
            max_seconds=16_777,
            max_fps=1000 / 11,
        ),
        Format(
            suffix=".apng",
            title="animated PNG",
            encode=encode_apng,
            library="Pillow",
            encoder="zlib",
            instead=".webp",
            max_side=(1 << 31) - 1,
            max_pixels=_PICTURE_PIXELS,
            max_seconds=6553.5,
            max_fps=1000 / 11,
        ),
        Format(
            suffix=".avif",
            title="animated AVIF",
            encode=encode_avif,
            library="Pillow",
            encoder="avif",
            instead=".webp",
            max_side=65_536,
            max_pixels=_CODEC_PIXELS,
            max_seconds=86_400,
            max_fps=1000 / 11,
        ),
        Format(
            suffix=".html",
            title="web page",
            encode=encode_page,
            library="PyAV",
            encoder="libvpx-vp9",
            instead=".gif",
            max_side=16_384,
            max_pixels=_CODEC_PIXELS,
            max_seconds=86_400,
            max_fps=1000,
        ),
    )
}
"""Every format that `write` knows, by suffix."""
