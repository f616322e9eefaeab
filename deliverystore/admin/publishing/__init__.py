"""Publishing in the admin: what became of files on their way to the visitors."""

from __future__ import annotations

from deliverystore.admin.publishing.publications import PublicationAdmin

__all__ = ["PublicationAdmin"]
