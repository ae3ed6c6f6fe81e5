"""What is overridden is called: however late, on whatever, and though the same class was built and started before."""

import contextvars
import inspect
import threading

import pytest
from jaseci.hook import MemoryHook
from jaseci.svc import CommonService, ServiceState

CONFIG = {"enabled": True, "quiet": False, "host": "here"}


class Served(CommonService):
    """As most services are: its config is what a hook serves."""

    def build_config(self, hook):
        return hook.service_glob("SERVED_CONFIG", CONFIG)

    def run(self):
        self.app = "as written"

    def post_run(self):
        self.posted = "as written"


@pytest.fixture
def hook():
    return MemoryHook()


@pytest.fixture
def served(hook):
    """A class of the test's own, which was built and started a few times already."""
    cls = type(CommonService)("Served", (Served,), {})
    for _ in range(3):
        assert cls(hook).start(hook).app == "as written"
    return cls


def told(calls, name, value=None):
    """A method that says that it was called."""

    def method(self, *_):
        calls.append(name)
        return value

    return method


METHODS = {
    "build_kube": {"kind": []},
    "build_config": {"enabled": True},
    "build_settings": None,
    "run": None,
    "post_run": None,
}
START = ["run", "post_run"]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_patched_onto_the_class_is_called(method, served, hook):
    """Also by instances of a class that was built before."""
    calls = []
    setattr(served, method, told(calls, method, METHODS[method]))
    service = served(hook)
    service.enabled = True
    service.start(hook)
    assert calls == [method]


@pytest.mark.parametrize("method", METHODS)
def test_a_method_patched_onto_the_base_is_called(method, served, hook, monkeypatch):
    """On CommonService itself, for a class that does not override it; and the original again, once that is undone."""
    if method in vars(Served):
        monkeypatch.delattr(Served, method)
    calls = []
    monkeypatch.setattr(CommonService, method, told(calls, method, METHODS[method]))
    service = served(hook)
    service.enabled = True
    service.start(hook)
    assert calls == [method]
    monkeypatch.undo()
    assert served(hook).start(hook).app == "as written"
    assert calls == [method]


@pytest.mark.parametrize("method", START)
@pytest.mark.parametrize("takes", ["nothing", "hook"])
def test_a_method_put_onto_the_instance_is_called(method, takes, served, hook):
    """With the hook, if it takes one."""
    service = served(hook)
    calls = []
    setattr(service, method, (lambda: calls.append(None)) if takes == "nothing" else calls.append)
    service.start(hook)
    assert calls == [None if takes == "nothing" else hook]


@pytest.mark.parametrize("method", ["build_kube", "build_config"])
def test_a_method_put_onto_the_instance_is_called_by_a_reset(method, served, hook):
    """The constructor comes across it."""
    service = served(hook)
    calls = []
    setattr(service, method, lambda hook: calls.append(hook) or METHODS[method])
    service.reset(hook)
    assert calls == [hook]


def test_a_method_whose_code_was_replaced_is_called_in_its_new_manner(served, hook):
    """No class changes by that."""
    function = type(lambda: None)(Served.run.__code__, {})
    served.run = function
    assert served(hook).start().app == "as written"

    def with_hook(self, hook):
        self.app = hook

    function.__code__ = with_hook.__code__
    assert served(hook).start(hook).app is hook


def test_a_constructor_patched_onto_the_class_is_called(served, hook):
    """And decides what the base's constructor gets."""
    plain = served.__init__

    def constructor(self, hook, colour):
        self.colour = colour
        plain(self, hook)

    served.__init__ = constructor
    assert served(hook, "red").colour == "red"
    assert served(hook, colour="blue").start(hook).app == "as written"


def test_a_new_patched_onto_the_class_is_called(served, hook):
    """Before the constructor."""
    made = []

    def new(cls, *args):
        made.append(args)
        return CommonService.__new__(cls, *args)

    served.__new__ = new
    served(hook)
    assert made == [(hook,)]


def test_a_metaclass_decides_how_its_classes_are_called(hook):
    """As that of singletons does."""

    class Single(type(CommonService)):
        def __call__(cls, *args):
            if "only" not in vars(cls):
                cls.only = super().__call__(*args)
            return cls.only

    class Only(Served, metaclass=Single):
        pass

    assert Only(hook) is Only(hook)
    assert Only(hook).start(hook).app == "as written"


@pytest.mark.parametrize("method", ["start", "failed", "reset", "stop"])
def test_a_life_cycle_method_patched_onto_the_class_is_called(method, served, hook):
    """`failed` when a start fails, the others by whoever calls them."""
    calls = []
    setattr(served, method, told(calls, method))
    service = served(hook)
    if method == "failed":
        served.run = lambda self: 1 / 0
        service.start()
        assert service.state is ServiceState.FAILED
    else:
        getattr(service, method)()
    assert calls == [method]


def test_a_start_that_is_overridden_reaches_the_base(served, hook):
    """By super(), with its hook as it was given."""
    starts = []

    class Starting(served):
        def start(self, hook=None):
            starts.append(hook)
            return super().start(hook=hook)

    assert Starting(hook).start(hook).app == "as written"
    assert starts == [hook]


@pytest.mark.parametrize("call", [lambda start: start(1, 2), lambda start: start(hooks=1)], ids=["many", "unknown"])
def test_a_start_with_arguments_that_it_does_not_take_is_refused(call, served, hook):
    """As any method is called."""
    service = served(hook)
    with pytest.raises(TypeError):
        call(service.start)
    assert service.is_ready()


def test_the_methods_say_what_they_take():
    """A native method has the signature and the docstring of the one that is written in Python."""
    for method in (CommonService.start, CommonService.build_settings):
        parameters = inspect.signature(method).parameters
        assert list(parameters) == ["self", "hook"]
        assert parameters["hook"].default is None
        assert method.__doc__


def test_each_service_owns_its_served_config(served, hook):
    """Neither another service nor the next reader sees a change."""
    first, second = served(hook), served(hook)
    first.config["host"] = "there"
    assert second.config == {"host": "here"}
    assert served(hook).config == {"host": "here"}


def test_a_config_that_was_changed_after_it_was_served_is_taken_as_it_is(hook):
    """A key more, another value, or one dropped."""

    class Changing(Served):
        def build_config(self, hook):
            config = super().build_config(hook)
            config["host"] = "changed"
            config["port"] = 1
            del config["quiet"]
            return config

    service = Changing(hook)
    assert service.config == {"host": "changed", "port": 1}
    assert service.enabled
    assert not service.quiet


def test_manifests_assigned_by_build_config_do_not_outlive_it(hook):
    """`kube` is what build_kube returned, and that was None."""

    class Assigning(Served):
        def build_config(self, hook):
            self.kube = {"kind": []}
            return super().build_config(hook)

    assert Assigning(hook).kube is None


def test_a_service_built_inside_anothers_build_config_keeps_its_own_names(hook):
    """What the inner one reads is not noted for the outer one."""

    class Outer(Served):
        def build_config(self, hook):
            config = hook.service_glob("OUTER_CONFIG", CONFIG)
            self.inner = Served(hook)
            return config

    outer = Outer(hook)
    assert outer._glob_names == ("OUTER_CONFIG", None)
    assert outer.inner._glob_names == ("SERVED_CONFIG", None)


def test_what_is_read_elsewhere_meanwhile_is_not_noted(hook):
    """By another thread, in a context of its own."""

    class Reading(Served):
        def build_config(self, hook):
            config = super().build_config(hook)
            thread = threading.Thread(target=MemoryHook().service_glob, args=("OTHER_CONFIG", CONFIG))
            thread.start()
            thread.join()
            return config

    assert Reading(hook)._glob_names == ("SERVED_CONFIG", None)


def test_what_is_read_on_behalf_of_the_build_is_noted(hook):
    """By another thread, in a copy of the context."""

    class Delegating(Served):
        def build_config(self, hook):
            read = []
            context = contextvars.copy_context()

            def target():
                read.append(context.run(super(Delegating, self).build_config, hook))

            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
            return read[0]

    assert Delegating(hook)._glob_names == ("SERVED_CONFIG", None)


def test_a_keyboard_interrupt_while_settings_are_built_propagates(served, hook):
    """It is none of the settings'; the next build is as if nothing had been."""

    def interrupted(self, hook):
        raise KeyboardInterrupt

    served.build_config = interrupted
    with pytest.raises(KeyboardInterrupt):
        served(hook)
    del served.build_config
    assert served(hook)._glob_names == ("SERVED_CONFIG", None)


def test_the_traceback_of_a_failure_leads_to_the_users_line(served, hook):
    """Whatever lies between."""

    def run(self):
        raise OSError("no route")

    served.run = run
    service = served(hook).start(hook)
    traceback = service.error.__traceback__
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    assert traceback.tb_frame.f_code is run.__code__
