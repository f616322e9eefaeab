"""The contract of a key-value store, one module a subject."""

from __future__ import annotations

from deliverystore.testing.kvcontract.changing import ChangeTests
from deliverystore.testing.kvcontract.keys import KeyTests
from deliverystore.testing.kvcontract.querying import QueryTests
from deliverystore.testing.kvcontract.telling import EventTests
from deliverystore.testing.kvcontract.transactions import TransactionTests
from deliverystore.testing.kvcontract.values import ValueTests

__all__ = [
    "ChangeTests",
    "EventTests",
    "KeyTests",
    "QueryTests",
    "TransactionTests",
    "ValueTests",
]
