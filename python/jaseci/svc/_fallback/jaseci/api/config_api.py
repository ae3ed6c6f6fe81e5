"""``ConfigApi``: reading and changing settings, for whoever administers a running application."""

import json
from typing import Any

from jaseci.svc import _known_configs
from jaseci.svc._core import mask
from jaseci.svc._log import describe
from jaseci.svc.errors import SourceRefused, SourceUnavailable
from jaseci.svc.meta import MetaService


class ConfigApi:
    """Settings by name, through the hook ``_h`` of the administrator that this is mixed into.

    Known names are the configs of the shipped services, ``CONFIG_EXAMPLE``, ``ACTION_SETS``, and the config and kube
    globs of every registered service. ``do_check=False`` accepts any name.
    """

    _h: Any

    def config_get(self, name: str, do_check: bool = True) -> Any:
        """The raw text of a config, None if there is none."""
        return _unrecognized(name, do_check) or self._h.get_glob(name)

    def config_set(self, name: str, value: Any, do_check: bool = True) -> list[str]:
        """Sets a config for every hook built later, durably, before it answers. Dicts are dumped as JSON.

        A value that the config's service cannot use is refused with the reason, and the old one stays. Services take
        the new one up with their next reset, for instance by ``config_refresh``.
        """
        refusal = _unrecognized(name, do_check)
        if refusal:
            return refusal
        try:
            text = value if isinstance(value, str) else json.dumps(value)
            reason = _known_configs.why_unusable(MetaService(), name, text)
            if reason is None:
                _known_configs.learn_secrets_of(text)
                self._h.commit_setting(name, text)
                return [mask(f"Config of '{name}' to '{text}' set!")]
        except (SourceUnavailable, SourceRefused) as error:
            return [mask(f"Config of '{name}' is not set: {error}")]
        except (TypeError, ValueError, RecursionError) as error:  # what is not JSON, or no text that can be kept
            reason = describe(error)
        return [mask(f"Config of '{name}' is not set, the value cannot be used: {reason}")]

    def config_refresh(self, name: str) -> list[str]:
        """Resets the service of a config, so that it takes the settings of now, not those that the hook of this
        administrator has seen before."""
        meta = MetaService()
        service_name = _known_configs.service_of(meta, name)
        if service_name is None:
            return _unrecognized(name, True) or [f"Config '{name}' belongs to no registered service!"]
        service = meta.get_service(service_name, self._h)
        self._h.forget_globs(*filter(None, service._glob_names))
        service.reset(self._h)
        return [f"Service '{service_name}' of config '{name}' is {service.state.name} after its reset!"]

    def config_list(self) -> list[str]:
        """The known configs that exist."""
        return [name for name in self.config_index() if self._h.has_glob(name)]

    def config_index(self) -> list[str]:
        """All known names."""
        return _known_configs.names(MetaService())

    def config_exists(self, name: str) -> bool:
        """Whether a config exists."""
        return bool(self._h.has_glob(name))

    def config_delete(self, name: str, do_check: bool = True) -> list[str]:
        """Removes a config, durably; its service runs on its default with the next reset."""
        refusal = _unrecognized(name, do_check)
        if refusal:
            return refusal
        try:
            self._h.destroy_glob(name)
        except (SourceUnavailable, SourceRefused) as error:
            return [mask(f"{name} is not deleted: {error}")]
        return [f"{name} Deleted."]

    def config_explain(self, name: str, do_check: bool = True) -> dict[str, Any] | list[str]:
        """Where a config comes from, and how far it can be relied on: the fields of ``jaseci.hook.Explanation``, the value
        without secrets."""
        explained: dict[str, Any] = self._h.explain(name)._asdict()
        return _unrecognized(name, do_check) or explained


def _unrecognized(name: str, do_check: bool) -> list[str]:
    known = _known_configs.names(MetaService()) if do_check else [name]
    return [] if name in known else [f"Config {name} not recognized, must be in {known}!"]
