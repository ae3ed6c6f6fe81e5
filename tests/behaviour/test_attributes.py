"""Section 3: what a service has, before and after its settings."""

import gc
import pickle
import weakref

import pytest
from jaseci.svc import CommonService, MetaService, ServiceState

from behaviour.services import Disabled, Plain


class Bare(CommonService):
    """As a service is before its settings: it never calls the constructor."""

    def __init__(self):
        pass


BEFORE = {
    "app": None,
    "enabled": False,
    "quiet": True,
    "state": ServiceState.NOT_STARTED,
    "config": {},
    "kube": None,
    "error": None,
}


@pytest.mark.parametrize("name", BEFORE)
def test_before_settings_an_attribute_has_its_first_value(name):
    """The table of section 3."""
    assert getattr(Bare(), name) == BEFORE[name]


def test_before_settings_each_service_owns_its_config():
    """Not one dict for all."""
    first, second = Bare(), Bare()
    first.config["host"] = "here"
    assert second.config == {}
    assert first.config == {"host": "here"}


def test_two_services_never_share_a_default_config():
    """One shared default dict was mutated across services."""
    default = {"enabled": True, "nested": {"hosts": ["a"]}}

    class Sharing(Plain):
        def build_config(self, hook):
            return default

    first, second = Sharing(), Sharing()
    first.config["nested"]["hosts"].append("b")
    first.config["extra"] = 1
    assert second.config == {"nested": {"hosts": ["a"]}}
    assert default == {"enabled": True, "nested": {"hosts": ["a"]}}


@pytest.mark.parametrize("state", ServiceState)
def test_the_state_can_be_assigned(state):
    """Readable and assignable."""
    service = Disabled()
    service.state = state
    assert service.state is state


def test_what_is_no_state_is_not_assigned():
    """A state is a ServiceState."""
    service = Disabled()
    with pytest.raises(TypeError, match="ServiceState"):
        service.state = "RUNNING"
    with pytest.raises(ValueError, match="7"):
        service.state = 7
    assert service.state is ServiceState.NOT_STARTED


def test_is_ready_is_not_started_and_without_an_app():
    """Both."""
    service = Disabled()
    assert service.is_ready()
    service.app = "app"
    assert not service.is_ready()


def test_is_running_is_running_and_with_an_app():
    """Both."""
    service = Disabled()
    service.state = ServiceState.RUNNING
    assert not service.is_running()
    service.app = "app"
    assert service.is_running()


def test_has_failed_is_failed():
    """Whatever the app."""
    service = Disabled()
    service.state = ServiceState.FAILED
    assert service.has_failed()


@pytest.mark.parametrize("app", [0, "", [], False])
def test_an_app_that_is_false_is_an_app(app):
    """None alone is no app."""

    class Falsy(Plain):
        def run(self):
            self.app = app

    assert Falsy().start().is_running()


def test_a_service_takes_attributes_of_its_author():
    """Given extra attributes."""
    service = Plain()
    service.extra = 1
    assert service.extra == 1


def test_a_service_can_be_referred_to_weakly_and_is_collected():
    """Also in a cycle with its hook, after a start."""

    class Hook:
        pass

    hook = Hook()
    service = Plain(hook)
    hook.service = service
    service.start(hook)
    gone = weakref.ref(service)
    del hook, service
    gc.collect()
    assert gone() is None


class Counting:
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.counted = 1


class Mixed(Counting, Plain):
    """A plain class before a service."""


def test_a_plain_class_can_be_mixed_in():
    """By multiple inheritance, on either side."""
    service = Mixed()
    assert (service.counted, service.start().is_running()) == (1, True)


@pytest.mark.parametrize("base", [dict, Exception, int])
def test_a_base_that_cannot_be_mixed_in_is_named_with_the_reason(base):
    """An error that says which and why."""
    with pytest.raises(
        TypeError, match=f"Odd cannot be a service and inherit from builtins.{base.__name__} .*native layout"
    ):
        type(CommonService)("Odd", (CommonService, base), {})


def test_a_base_with_slots_is_named_with_the_reason():
    """Non-empty __slots__ are a layout, too."""

    class Slotted:
        __slots__ = ("place",)

    with pytest.raises(TypeError, match=r"Slotted.*__slots__"):
        type(CommonService)("Odd", (CommonService, Slotted), {})


class WithRegion(Plain):
    def __init__(self, hook, region, size=1):
        super().__init__(hook)
        self.region, self.size = region, size


def test_a_pickle_rebuilds_from_class_and_arguments_without_the_hook():
    """Never live sockets or threads."""
    service = WithRegion(object(), "north", size=3)
    service.start(object())
    copy = pickle.loads(pickle.dumps(service))
    assert (type(copy), copy.region, copy.size) == (WithRegion, "north", 3)
    assert copy.state is ServiceState.NOT_STARTED


def test_a_pickled_kept_service_is_a_reference_by_name():
    """The kept one itself, in the same process."""
    meta = MetaService()
    meta.add_service_builder("kept", Plain)
    kept = meta.get_service("kept")
    assert pickle.loads(pickle.dumps(kept)) is kept


def test_repr_names_class_name_and_state():
    """And is made without starting anything."""
    assert repr(Plain()) == "<Plain 'Plain': NOT_STARTED>"
    assert "disabled" in repr(Disabled())
