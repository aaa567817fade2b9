"""Where films go, and what is accepted there.

Every limit was looked up on 2026-11-23, in the place named; sites change them without notice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MB = 1_000_000
LOOKED_UP = "2026-11-23"


@dataclass(frozen=True)
class Target:
    """What a place accepts.

    Attributes
    ----------
    name, title
        The word for ``target=``, and what it stands for.
    max_bytes
        Limit of each format that the place takes, the best one first; None: no limit known.
    max_width, max_height
        Larger frames are drawn smaller.
    seconds
        Shortest and longest film.
    source
        Where the limits are given.
    looked_up
        When they were looked up.
    """

    name: str
    title: str
    max_bytes: Mapping[str, int | None]
    max_width: int
    max_height: int
    source: str
    seconds: tuple[float, float] = (0.0, float("inf"))
    looked_up: str = field(default=LOOKED_UP)


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
        ),
        Target(
            "x",
            "X (Twitter), without subscription",
            {".mp4": 512 * MB, ".gif": 15 * MB},
            1280,
            1080,
            "https://docs.x.com/x-api/media (bytes); "
            "https://docs.getlate.dev/resources/media-guidelines/twitter (size, length)",
            (0.5, 140.0),
        ),
        Target(
            "bluesky",
            "Bluesky",
            {".mp4": 100 * MB},
            1920,
            1920,
            "https://github.com/bluesky-social/atproto/blob/main/lexicons/app/bsky/embed/video.json"
            " (bytes); https://www.schedulethreads.com/blog/bluesky-video-size-limit (length)",
            (0.0, 180.0),
        ),
        Target(
            "mastodon",
            "Mastodon (mastodon.social; other servers may allow less)",
            {".mp4": 103_809_024, ".webm": 103_809_024, ".gif": 16_777_216},
            3840,
            2160,
            "https://github.com/mastodon/mastodon/discussions/26709 (its /api/v2/instance)",
        ),
        Target(
            "linkedin",
            "LinkedIn post",
            {".mp4": 5000 * MB},
            4096,
            2304,
            "https://changethisfile.com/blog/convert-videos-for-linkedin-posts",
            (3.0, 600.0),
        ),
        Target(
            "github",
            "GitHub issue, comment or README, free plan",
            {".mp4": 10 * MB, ".webm": 10 * MB, ".gif": 10 * MB, ".webp": 10 * MB},
            3840,
            2160,
            "https://www.skills.sh/angusfretwell/skills/attach-media (images, free-plan videos); "
            "https://github.com/orgs/community/discussions/46513 (videos)",
        ),
        Target(
            "paper",
            "supplementary movie of a paper (PLOS; other journals allow more)",
            {".mp4": 10 * MB},
            1920,
            1920,
            "https://journals.plos.org/ploscompbiol/s/supporting-information",
        ),
    )
}
"""Every place that :func:`write` knows limits of, by name."""
