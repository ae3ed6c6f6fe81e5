"""What every test here gets: a process-wide state of its own, and the fixtures that users' tests get."""

pytest_plugins = ["jaseci.svc.testing.plugin"]
