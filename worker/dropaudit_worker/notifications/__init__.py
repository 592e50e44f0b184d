"""Notifications of runs: signed, posted with care, and sent again when a receiver is away."""

from dropaudit_worker.notifications.messages import Form, Message, Receiver, message_for
from dropaudit_worker.notifications.posting import Attempt, Dead, Delivered, Limits, Post, Retry
from dropaudit_worker.notifications.retrying import next_step
from dropaudit_worker.notifications.signing import sign, verify

__all__ = [
    "Attempt",
    "Dead",
    "Delivered",
    "Form",
    "Limits",
    "Message",
    "Post",
    "Receiver",
    "Retry",
    "message_for",
    "next_step",
    "sign",
    "verify",
]
