"""``Master``: the user element of applications that have no element classes of their own."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

# What an element's JSON holds; a database row shares these names.
_FIELDS = ("name", "kind", "jid", "j_parent", "j_master", "j_timestamp", "j_type", "j_access")
_ID_FIELDS = ("j_r_acc_ids", "j_rw_acc_ids")


class Master:
    """A user. Lives in its hook: ``save()`` puts it there, ``hook.commit()`` makes it last, ``destroy()`` removes it.

    ``h`` is its hook, ``m_id`` the id of the master it belongs to (itself, if none is given), ``auto_save`` whether it
    is saved at once.
    """

    j_type = "master"

    def __init__(
        self, h: Any, m_id: str | None = None, name: str = "basic", kind: str = "generic", auto_save: bool = True
    ) -> None:
        self._h = h
        self._persist = True
        self.name = name
        self.kind = kind
        self.jid = uuid.uuid4().urn
        self.j_parent: str | None = None
        self.j_master = m_id or self.jid
        self.j_timestamp = datetime.now(UTC).isoformat()
        self.j_access = "private"
        self.j_r_acc_ids: list[str] = []
        self.j_rw_acc_ids: list[str] = []
        if auto_save:
            self.save()

    def check_read_access(self, caller_id: Any) -> bool:
        """Whether this caller may read it: its master, who was granted access, everybody if it is not private."""
        return (
            self.check_write_access(caller_id)
            or self.j_access in ("read_only", "public")
            or caller_id in self.j_r_acc_ids
        )

    def check_write_access(self, caller_id: Any) -> bool:
        """Whether this caller may change it: itself, its master, who was granted access, everybody if it is public."""
        return caller_id in (self.jid, self.j_master, *self.j_rw_acc_ids) or self.j_access == "public"

    def save(self) -> None:
        """Puts it into its hook, to be written with the next commit."""
        self._h.save_obj(self.j_master, self)

    def destroy(self) -> None:
        """Removes it from its hook and everything below."""
        self._h.destroy_obj(self.j_master, self)

    def jsci_payload(self) -> str:
        """What it is made of besides the fields of its row, as JSON."""
        return json.dumps({})

    def json(self, detailed: bool = False) -> str:
        """It as JSON; detailed with who may access it."""
        fields = (*_FIELDS, *_ID_FIELDS) if detailed else _FIELDS
        return json.dumps({field: getattr(self, field) for field in fields})

    def json_load(self, text: str) -> None:
        """Takes over what such a JSON text holds; fields that it does not know are kept as attributes."""
        for field, value in json.loads(text).items():
            if field != "j_type":
                setattr(self, field, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {self.jid}>"
