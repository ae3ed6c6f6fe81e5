"""``SuperMaster``: the administrator of applications that have no element classes of their own."""

from jaseci.api.config_api import ConfigApi
from jaseci.element.master import Master


class SuperMaster(Master, ConfigApi):
    """A master with the administrative interfaces. Lives as a master does."""

    j_type = "super_master"
