"""Where films go, and what is accepted there.

Every limit was looked up on the date given with it, in the place named: the site's own words or
code where there are any. Sites change their limits without notice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MB = 1_000_000


@dataclass(frozen=True)
class Target:
    """What a place accepts.

    Attributes
    ----------
    name, title
        The word for `target=`, and what it stands for.
    max_bytes
        Limit of each format that the place takes, the best one first; None: no limit known.
    max_width, max_height
        Larger frames are drawn smaller.
    source
        Where the limits are given.
    looked_up
        When they were looked up.
    seconds
        Shortest and longest film.
    max_frames
        Formats in which the number of frames is limited.
    max_pixels
        Formats in which the pixels of a frame are limited, whatever its shape.
    max_film_pixels
        Formats in which the pixels of all frames together are limited.
    """

    name: str
    title: str
    max_bytes: Mapping[str, int | None]
    max_width: int
    max_height: int
    source: str
    looked_up: str
    seconds: tuple[float, float] = (0.0, math.inf)
    max_frames: Mapping[str, int] = field(default_factory=dict)
    max_pixels: Mapping[str, int] = field(default_factory=dict)
    max_film_pixels: Mapping[str, int] = field(default_factory=dict)

    def scale(self, width: int, height: int, n_frames: int, suffix: str) -> float:
        """How much smaller frames have to be drawn, 1.0 if not at all; never larger.

        Parameters
        ----------
        width, height, n_frames
            The film's own.
        suffix
            Its format.
        """
        pixels = min(
            self.max_pixels.get(suffix, math.inf),
            self.max_film_pixels.get(suffix, math.inf) / n_frames,
        )
        # sides are rounded to whole pixels: none too many, even if both go up
        within = math.sqrt(pixels / ((width + 2) * (height + 2)))
        return min(1.0, self.max_width / width, self.max_height / height, within)


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target(
            "slides",
            "PowerPoint, Keynote, Google Slides",
            {".mp4": None, ".gif": None},
            1920,
            1080,
            "https://learn.microsoft.com/en-us/answers/questions/5339846 (mp4 with H.264)",
            "2026-11-25",
        ),
        Target(
            "x",
            "X (Twitter), without subscription",
            {".mp4": 8000 * _MB, ".gif": 15 * _MB},
            1280,
            1024,
            "https://docs.x.com/x-api/media/quickstart/best-practices",
            "2026-11-25",
            seconds=(0.5, 1200.0),
            max_frames={".gif": 350},
            max_film_pixels={".gif": 300_000_000},
        ),
        Target(
            "bluesky",
            "Bluesky",
            {".mp4": 300 * _MB, ".webm": 300 * _MB, ".gif": 300 * _MB},
            1920,
            1920,
            "https://github.com/bluesky-social/social-app/blob/main/src/lib/constants.ts",
            "2026-11-25",
            seconds=(0.0, 600.0),
        ),
        Target(
            "mastodon",
            "Mastodon (mastodon.social; other servers may allow less)",
            {".mp4": 103_809_024, ".webm": 103_809_024, ".gif": 16_777_216},
            3840,
            2160,
            "https://github.com/mastodon/mastodon/discussions/26709 (its /api/v2/instance); "
            "https://github.com/mastodon/mastodon/blob/main/app/models/concerns/attachmentable.rb "
            "(pixels of a gif)",
            "2026-11-25",
            max_pixels={".gif": 921_600},
        ),
        Target(
            "linkedin",
            "LinkedIn post",
            {".mp4": 5000 * _MB},
            4096,
            2304,
            "https://siterails.pages.dev/blog/linkedin-video-format-specs-guide "
            "(not LinkedIn's own words)",
            "2026-11-25",
            seconds=(3.0, 600.0),
        ),
        Target(
            "github",
            "GitHub issue, comment or README, free plan",
            {".mp4": 10 * _MB, ".webm": 10 * _MB, ".gif": 10 * _MB, ".webp": 10 * _MB},
            3840,
            2160,
            "https://docs.github.com/get-started/writing-on-github/"
            "working-with-advanced-formatting/attaching-files; "
            "https://www.skills.sh/angusfretwell/skills/attach-media (webp)",
            "2026-11-25",
        ),
        Target(
            "paper",
            "supplementary movie of a paper (as PLOS recommends; other journals allow more)",
            {".mp4": 10 * _MB},
            1920,
            1920,
            "https://journals.plos.org/ploscompbiol/s/supporting-information",
            "2026-11-25",
        ),
    )
}
"""Every place that `write` knows limits of, by name."""
