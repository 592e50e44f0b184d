"""Settings of the worker and the beat."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dropaudit_store.settings import StoreSettings


class WorkerSettings(StoreSettings):
    """Read once from the environment, prefix DROPAUDIT_."""

    device: Literal["auto", "cpu", "gpu"] = Field(
        default="auto", description="where models run: gpu, cpu, or auto: on GPUs where one answers"
    )
    concurrency: int = Field(
        default=0, ge=0, description="audits that a worker makes at a time; 0: one for each GPU, or share of the cores"
    )
    cores_per_audit: int = Field(default=2, ge=1, description="cores for each audit where there is no GPU")
    memory_limit_mebibytes: int = Field(
        default=0,
        ge=0,
        description="most memory of a process that runs models; 0: an even share of what the machine has",
    )
    gpu_memory_limit_mebibytes: int = Field(
        default=0, ge=0, description="most memory of a GPU that one session of a model may take; 0: any"
    )
    audits_per_sandbox: int = Field(
        default=1000,
        ge=0,
        description="audits after which the process that runs models makes room for a new one; 0: any number",
    )
    lease_seconds: float = Field(default=30.0, gt=0, description="how long a silent worker keeps an audit")
    max_attempts: int = Field(default=3, ge=1, description="workers that may be lost over one audit")
    time_limit_seconds: int = Field(default=1800, gt=0, description="longest audit; it fails after that")
    reconcile_seconds: float = Field(default=5.0, gt=0, description="how often lost audits are looked for")
    mlflow_uri: str = Field(
        default="", description="tracking URI of the MLflow server whose registry suites may name; empty: none"
    )
    allow_private_webhooks: bool = Field(
        default=False, description="whether notifications may go to private networks and to this machine"
    )
    link_prefix: str = Field(
        default="", description="what stands before a run's name in the links of notifications, such as https://…/"
    )
    announce_seconds: float = Field(default=30.0, gt=0, description="age at which a waiting audit is announced again")
