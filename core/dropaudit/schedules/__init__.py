"""Cron lines in time zones: which instants they name. Pure functions; nothing here waits."""

from dropaudit.schedules.cron import Cron, CronError, parse
from dropaudit.schedules.due import due_between, next_due
from dropaudit.schedules.zones import ZoneError, zone

__all__ = ["Cron", "CronError", "ZoneError", "due_between", "next_due", "parse", "zone"]
