"""Who may do what with the files of a data center."""

from __future__ import annotations

from deliverystore.exceptions import NotPermitted
from deliverystore.models.access import User

UPLOAD = "deliverystore.upload_datafile"
DOWNLOAD = "deliverystore.download_datafile"
DELETE = "deliverystore.delete_datafile"
IMPORT = "deliverystore.run_import"
VIEW_LOGS = "deliverystore.view_datalog"


def ask(user: User | None, what: str, *permissions: str) -> None:
    """Raise NotPermitted unless a user has one of these, or it is the site itself.

    what completes the sentence "they may not …".
    """
    if user is not None and not any(map(user.has_perm, permissions)):
        raise NotPermitted(f"{user} may not {what}.")
