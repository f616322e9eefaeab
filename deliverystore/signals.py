"""Every signal that the app sends."""

from __future__ import annotations

from django.dispatch import Signal

# Sent once the transaction that finished a delivery is committed.
# Arguments: sender (the class Delivery), delivery.
delivery_finished = Signal()

# Sent once the transaction that removed an open delivery is committed.
# Arguments: sender (the class Delivery), delivery_id.
delivery_abandoned = Signal()
