"""What the native short cuts past ``CommonService`` turn to, for whatever is unusual. Without them, as in a wheel for every
version of Python, the same functions are called from Python."""

from typing import TYPE_CHECKING, Any

from jaseci.svc._arguments import HOOK
from jaseci.svc._calling import call_with_hook, manner_of, refuse_result
from jaseci.svc._core import accelerate
from jaseci.svc._settings import check_kube, fail_settings, take_settings
from jaseci.svc._starting import fail_start
from jaseci.svc.common import CommonService

if TYPE_CHECKING:
    from jaseci.svc.meta import MetaService

# What makes the construction of a class plain, as it was when this was installed. Whoever replaces one of them, on a class
# of his own or on ours, gets what he put there.
_plain: dict[str, object] = {}
_without_kube = CommonService.build_kube


def classify(cls: type[CommonService[Any]]) -> int:
    """What of the construction of a class is as ``CommonService`` has it: 1, how it is constructed; 2, that there are no
    manifests; 3, both."""
    plain = all(getattr(cls, name) is original for name, original in _plain.items())
    return plain + 2 * (cls.build_kube is _without_kube)


def install(behind_registry: dict[str, object], meta_service: "type[MetaService]") -> None:
    """Takes the short cuts into use. Called once, when all the classes are made."""
    accelerate(CommonService, meta_service, {**_BEHIND, **behind_registry})
    for name in ("__new__", "__init__", "build_settings"):
        _plain[name] = getattr(CommonService, name)


_BEHIND: dict[str, object] = {
    "start": CommonService.start,
    "build_settings": CommonService.build_settings,
    "call_with_hook": call_with_hook,
    "manner_of": manner_of,
    "refuse_result": refuse_result,
    "fail_start": fail_start,
    "hook": HOOK,
    "check_kube": check_kube,
    "take_settings": take_settings,
    "fail_settings": fail_settings,
    "classify": classify,
}
