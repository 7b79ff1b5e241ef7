"""The profile of the settings, once everything in it is decided."""

from __future__ import annotations

from indexer.config.model import Settings
from indexer.config.profile import SourceProfile, check_profile
from indexer.errors import ConfigurationError


def require_decided_profile(settings: Settings) -> SourceProfile | None:
    """The profile of the source, or None if there is none. Raises ConfigurationError for one that
    is not decided yet, that contradicts itself, or that other keys of [source] contradict."""
    source = settings.source
    if source.profile is None:
        return None
    config_name = settings.file or "foidex.toml"
    try:
        check_profile(source.profile, settings.categories)
    except ConfigurationError as error:
        raise ConfigurationError(f"{config_name}: {error}") from None
    if source.watermark:
        raise ConfigurationError(
            f"{config_name}: [source] has watermark beside [source.profile], which always reads "
            "the whole query: of a record that is several rows, only some may have changed. Remove "
            "watermark."
        )
    for key in ("fields", "ignore"):
        if getattr(source, key):
            raise ConfigurationError(
                f"{config_name}: [source] has {key} beside [source.profile], which says that, too. "
                f"Remove {key}."
            )
    return source.profile
