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

# What happens in key-value stores: arguments of all these are sender (the class of the
# store), event. The classes of the events are in deliverystore.kvstore.
# Sent once it is durable, and the transaction, if there is one, is committed.
# event: a StoreSetEvent, of a key that is new.
store_set = Signal()
# event: a StoreUpdateEvent, of a key that was there before.
store_update = Signal()
# event: a StoreDeleteEvent.
store_delete = Signal()

# Sent while data is copied. event: a StoreProgressStartEvent.
store_progress_start = Signal()
# event: a StoreProgressStepEvent.
store_progress_step = Signal()
# event: a StoreProgressEndEvent.
store_progress_end = Signal()

# Sent when the outermost transaction begins. event: a StoreTransactionStartEvent.
store_transaction_start = Signal()
# Sent when it is over, before what happened to keys. event: a StoreTransactionEndEvent.
store_transaction_end = Signal()
