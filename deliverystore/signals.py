"""Every signal that the app sends."""

from __future__ import annotations

from django.dispatch import Signal

# Sent once the transaction that finished a delivery is committed.
# Arguments: sender (the class Delivery), delivery.
delivery_finished = Signal()

# Sent once the transaction that removed an open delivery is committed.
# Arguments: sender (the class Delivery), delivery_id.
delivery_abandoned = Signal()

# Sent once an upload into a data center is committed.
# Arguments: sender (the class DataCenter), center, file (an Uploaded), user (or None).
datafile_uploaded = Signal()

# Sent once a data center has another place.
# Arguments: sender (the class DataCenter), center, old_location, new_location,
# not_copied (the relative paths of the files that are still at the old location).
storage_moved = Signal()
