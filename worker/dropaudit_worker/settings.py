"""Settings of the worker and the beat."""

from __future__ import annotations

from pydantic import Field

from dropaudit_store.settings import StoreSettings


class WorkerSettings(StoreSettings):
    """Read once from the environment, prefix DROPAUDIT_."""

    concurrency: int = Field(default=1, ge=1, description="audits that a worker makes at a time")
    lease_seconds: float = Field(default=30.0, gt=0, description="how long a silent worker keeps an audit")
    max_attempts: int = Field(default=3, ge=1, description="workers that may be lost over one audit")
    time_limit_seconds: int = Field(default=1800, gt=0, description="longest audit; it fails after that")
    reconcile_seconds: float = Field(default=5.0, gt=0, description="how often lost audits are looked for")
    announce_seconds: float = Field(default=30.0, gt=0, description="age at which a waiting audit is announced again")
