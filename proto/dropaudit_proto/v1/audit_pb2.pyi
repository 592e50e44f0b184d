import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class View(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VIEW_UNSPECIFIED: _ClassVar[View]
    VIEW_BASIC: _ClassVar[View]
    VIEW_FULL: _ClassVar[View]

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    AUTO: _ClassVar[Role]
    TRAIN: _ClassVar[Role]
    INFERENCE: _ClassVar[Role]

class Provider(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROVIDER_UNSPECIFIED: _ClassVar[Provider]
    PROVIDER_AUTO: _ClassVar[Provider]
    PROVIDER_CPU: _ClassVar[Provider]
    PROVIDER_CUDA: _ClassVar[Provider]
VIEW_UNSPECIFIED: View
VIEW_BASIC: View
VIEW_FULL: View
ROLE_UNSPECIFIED: Role
AUTO: Role
TRAIN: Role
INFERENCE: Role
PROVIDER_UNSPECIFIED: Provider
PROVIDER_AUTO: Provider
PROVIDER_CPU: Provider
PROVIDER_CUDA: Provider

class Model(_message.Message):
    __slots__ = ("name", "sha256", "size_bytes", "display_name", "create_time", "version", "display_names")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAMES_FIELD_NUMBER: _ClassVar[int]
    name: str
    sha256: str
    size_bytes: int
    display_name: str
    create_time: _timestamp_pb2.Timestamp
    version: ModelVersion
    display_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ..., display_name: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., version: _Optional[_Union[ModelVersion, _Mapping]] = ..., display_names: _Optional[_Iterable[str]] = ...) -> None: ...

class ModelName(_message.Message):
    __slots__ = ("display_name", "newest", "version_count", "aliases")
    class AliasesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    VERSION_COUNT_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    newest: ModelVersion
    version_count: int
    aliases: _containers.ScalarMap[str, int]
    def __init__(self, display_name: _Optional[str] = ..., newest: _Optional[_Union[ModelVersion, _Mapping]] = ..., version_count: _Optional[int] = ..., aliases: _Optional[_Mapping[str, int]] = ...) -> None: ...

class ModelVersion(_message.Message):
    __slots__ = ("display_name", "version", "model", "size_bytes", "create_time", "uploader", "aliases")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPLOADER_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    version: int
    model: str
    size_bytes: int
    create_time: _timestamp_pb2.Timestamp
    uploader: str
    aliases: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, display_name: _Optional[str] = ..., version: _Optional[int] = ..., model: _Optional[str] = ..., size_bytes: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., uploader: _Optional[str] = ..., aliases: _Optional[_Iterable[str]] = ...) -> None: ...

class UploadModelRequest(_message.Message):
    __slots__ = ("metadata", "chunk")
    class Metadata(_message.Message):
        __slots__ = ("display_name", "sha256", "size_bytes")
        DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
        SHA256_FIELD_NUMBER: _ClassVar[int]
        SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
        display_name: str
        sha256: str
        size_bytes: int
        def __init__(self, display_name: _Optional[str] = ..., sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    metadata: UploadModelRequest.Metadata
    chunk: bytes
    def __init__(self, metadata: _Optional[_Union[UploadModelRequest.Metadata, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class GetModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "next_page_token")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    next_page_token: str
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class DownloadModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DownloadModelResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class DeleteModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListModelNamesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "pattern")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    pattern: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., pattern: _Optional[str] = ...) -> None: ...

class ListModelNamesResponse(_message.Message):
    __slots__ = ("names", "next_page_token")
    NAMES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedCompositeFieldContainer[ModelName]
    next_page_token: str
    def __init__(self, names: _Optional[_Iterable[_Union[ModelName, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetModelNameRequest(_message.Message):
    __slots__ = ("display_name",)
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    def __init__(self, display_name: _Optional[str] = ...) -> None: ...

class DeleteModelNameRequest(_message.Message):
    __slots__ = ("display_name",)
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    def __init__(self, display_name: _Optional[str] = ...) -> None: ...

class ListModelVersionsRequest(_message.Message):
    __slots__ = ("display_name", "page_size", "page_token")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    page_size: int
    page_token: str
    def __init__(self, display_name: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListModelVersionsResponse(_message.Message):
    __slots__ = ("versions", "next_page_token")
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[ModelVersion]
    next_page_token: str
    def __init__(self, versions: _Optional[_Iterable[_Union[ModelVersion, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SetModelAliasRequest(_message.Message):
    __slots__ = ("display_name", "alias", "version")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    alias: str
    version: int
    def __init__(self, display_name: _Optional[str] = ..., alias: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class DeleteModelAliasRequest(_message.Message):
    __slots__ = ("display_name", "alias")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    alias: str
    def __init__(self, display_name: _Optional[str] = ..., alias: _Optional[str] = ...) -> None: ...

class GetModelHistoryRequest(_message.Message):
    __slots__ = ("display_name", "suite", "subject", "quantity", "page_size", "page_token")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    suite: str
    subject: str
    quantity: str
    page_size: int
    page_token: str
    def __init__(self, display_name: _Optional[str] = ..., suite: _Optional[str] = ..., subject: _Optional[str] = ..., quantity: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class GetModelHistoryResponse(_message.Message):
    __slots__ = ("points", "next_page_token")
    POINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    points: _containers.RepeatedCompositeFieldContainer[ModelHistoryPoint]
    next_page_token: str
    def __init__(self, points: _Optional[_Iterable[_Union[ModelHistoryPoint, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ModelHistoryPoint(_message.Message):
    __slots__ = ("audit", "run", "version", "sha256", "end_time", "verdict", "codes", "measurements", "runtime_version")
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    MEASUREMENTS_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_VERSION_FIELD_NUMBER: _ClassVar[int]
    audit: str
    run: str
    version: int
    sha256: str
    end_time: _timestamp_pb2.Timestamp
    verdict: Report.Verdict
    codes: _containers.RepeatedScalarFieldContainer[str]
    measurements: _containers.RepeatedCompositeFieldContainer[Measurement]
    runtime_version: str
    def __init__(self, audit: _Optional[str] = ..., run: _Optional[str] = ..., version: _Optional[int] = ..., sha256: _Optional[str] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., verdict: _Optional[_Union[Report.Verdict, str]] = ..., codes: _Optional[_Iterable[str]] = ..., measurements: _Optional[_Iterable[_Union[Measurement, _Mapping]]] = ..., runtime_version: _Optional[str] = ...) -> None: ...

class Measurement(_message.Message):
    __slots__ = ("subject", "quantity", "interval")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    subject: str
    quantity: str
    interval: Interval
    def __init__(self, subject: _Optional[str] = ..., quantity: _Optional[str] = ..., interval: _Optional[_Union[Interval, _Mapping]] = ...) -> None: ...

class InspectModelRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class InspectModelResponse(_message.Message):
    __slots__ = ("sites", "shortened")
    SITES_FIELD_NUMBER: _ClassVar[int]
    SHORTENED_FIELD_NUMBER: _ClassVar[int]
    sites: _containers.RepeatedCompositeFieldContainer[Site]
    shortened: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, sites: _Optional[_Iterable[_Union[Site, _Mapping]]] = ..., shortened: _Optional[_Iterable[str]] = ...) -> None: ...

class Tensor(_message.Message):
    __slots__ = ("name", "datatype", "shape", "raw_contents")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATATYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    RAW_CONTENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    datatype: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    raw_contents: bytes
    def __init__(self, name: _Optional[str] = ..., datatype: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., raw_contents: _Optional[bytes] = ...) -> None: ...

class TensorSet(_message.Message):
    __slots__ = ("tensors", "npz")
    TENSORS_FIELD_NUMBER: _ClassVar[int]
    NPZ_FIELD_NUMBER: _ClassVar[int]
    tensors: _containers.RepeatedCompositeFieldContainer[Tensor]
    npz: bytes
    def __init__(self, tensors: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ..., npz: _Optional[bytes] = ...) -> None: ...

class ArtifactSubject(_message.Message):
    __slots__ = ("model", "uri", "role", "inputs", "keep_prob")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    KEEP_PROB_FIELD_NUMBER: _ClassVar[int]
    model: str
    uri: str
    role: Role
    inputs: TensorSet
    keep_prob: float
    def __init__(self, model: _Optional[str] = ..., uri: _Optional[str] = ..., role: _Optional[_Union[Role, str]] = ..., inputs: _Optional[_Union[TensorSet, _Mapping]] = ..., keep_prob: _Optional[float] = ...) -> None: ...

class PairSubject(_message.Message):
    __slots__ = ("train_model", "train_uri", "inference_model", "inference_uri", "inputs", "keep_prob")
    TRAIN_MODEL_FIELD_NUMBER: _ClassVar[int]
    TRAIN_URI_FIELD_NUMBER: _ClassVar[int]
    INFERENCE_MODEL_FIELD_NUMBER: _ClassVar[int]
    INFERENCE_URI_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    KEEP_PROB_FIELD_NUMBER: _ClassVar[int]
    train_model: str
    train_uri: str
    inference_model: str
    inference_uri: str
    inputs: TensorSet
    keep_prob: float
    def __init__(self, train_model: _Optional[str] = ..., train_uri: _Optional[str] = ..., inference_model: _Optional[str] = ..., inference_uri: _Optional[str] = ..., inputs: _Optional[_Union[TensorSet, _Mapping]] = ..., keep_prob: _Optional[float] = ...) -> None: ...

class RecordedSubject(_message.Message):
    __slots__ = ("inference", "train", "keep_prob")
    INFERENCE_FIELD_NUMBER: _ClassVar[int]
    TRAIN_FIELD_NUMBER: _ClassVar[int]
    KEEP_PROB_FIELD_NUMBER: _ClassVar[int]
    inference: Tensor
    train: _containers.RepeatedCompositeFieldContainer[Tensor]
    keep_prob: float
    def __init__(self, inference: _Optional[_Union[Tensor, _Mapping]] = ..., train: _Optional[_Iterable[_Union[Tensor, _Mapping]]] = ..., keep_prob: _Optional[float] = ...) -> None: ...

class AuditOptions(_message.Message):
    __slots__ = ("alpha", "tolerance", "max_replicates", "seed", "provider", "compare_provider")
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    MAX_REPLICATES_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    COMPARE_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    alpha: float
    tolerance: float
    max_replicates: int
    seed: int
    provider: Provider
    compare_provider: Provider
    def __init__(self, alpha: _Optional[float] = ..., tolerance: _Optional[float] = ..., max_replicates: _Optional[int] = ..., seed: _Optional[int] = ..., provider: _Optional[_Union[Provider, str]] = ..., compare_provider: _Optional[_Union[Provider, str]] = ...) -> None: ...

class AuditSpec(_message.Message):
    __slots__ = ("artifact", "pair", "recorded", "options")
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    PAIR_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    artifact: ArtifactSubject
    pair: PairSubject
    recorded: RecordedSubject
    options: AuditOptions
    def __init__(self, artifact: _Optional[_Union[ArtifactSubject, _Mapping]] = ..., pair: _Optional[_Union[PairSubject, _Mapping]] = ..., recorded: _Optional[_Union[RecordedSubject, _Mapping]] = ..., options: _Optional[_Union[AuditOptions, _Mapping]] = ...) -> None: ...

class Audit(_message.Message):
    __slots__ = ("name", "spec", "state", "report", "failure", "labels", "priority", "attempts", "create_time", "start_time", "end_time", "expire_time", "run", "display_name", "model_version")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Audit.State]
        QUEUED: _ClassVar[Audit.State]
        RUNNING: _ClassVar[Audit.State]
        SUCCEEDED: _ClassVar[Audit.State]
        FAILED: _ClassVar[Audit.State]
        CANCELLED: _ClassVar[Audit.State]
    STATE_UNSPECIFIED: Audit.State
    QUEUED: Audit.State
    RUNNING: Audit.State
    SUCCEEDED: Audit.State
    FAILED: Audit.State
    CANCELLED: Audit.State
    class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        PRIORITY_UNSPECIFIED: _ClassVar[Audit.Priority]
        INTERACTIVE: _ClassVar[Audit.Priority]
        BATCH: _ClassVar[Audit.Priority]
    PRIORITY_UNSPECIFIED: Audit.Priority
    INTERACTIVE: Audit.Priority
    BATCH: Audit.Priority
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    SPEC_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    spec: AuditSpec
    state: Audit.State
    report: Report
    failure: Failure
    labels: _containers.ScalarMap[str, str]
    priority: Audit.Priority
    attempts: int
    create_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    run: str
    display_name: str
    model_version: int
    def __init__(self, name: _Optional[str] = ..., spec: _Optional[_Union[AuditSpec, _Mapping]] = ..., state: _Optional[_Union[Audit.State, str]] = ..., report: _Optional[_Union[Report, _Mapping]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., priority: _Optional[_Union[Audit.Priority, str]] = ..., attempts: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., run: _Optional[str] = ..., display_name: _Optional[str] = ..., model_version: _Optional[int] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("reason", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class CreateAuditRequest(_message.Message):
    __slots__ = ("audit", "request_id", "validate_only")
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    audit: Audit
    request_id: str
    validate_only: bool
    def __init__(self, audit: _Optional[_Union[Audit, _Mapping]] = ..., request_id: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class BatchCreateAuditsRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[CreateAuditRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[CreateAuditRequest, _Mapping]]] = ...) -> None: ...

class BatchCreateAuditsResponse(_message.Message):
    __slots__ = ("audits",)
    AUDITS_FIELD_NUMBER: _ClassVar[int]
    audits: _containers.RepeatedCompositeFieldContainer[Audit]
    def __init__(self, audits: _Optional[_Iterable[_Union[Audit, _Mapping]]] = ...) -> None: ...

class GetAuditRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListAuditsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "filter", "order_by", "view")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    filter: str
    order_by: str
    view: View
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., filter: _Optional[str] = ..., order_by: _Optional[str] = ..., view: _Optional[_Union[View, str]] = ...) -> None: ...

class ListAuditsResponse(_message.Message):
    __slots__ = ("audits", "next_page_token")
    AUDITS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    audits: _containers.RepeatedCompositeFieldContainer[Audit]
    next_page_token: str
    def __init__(self, audits: _Optional[_Iterable[_Union[Audit, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchAuditRequest(_message.Message):
    __slots__ = ("name", "after_sequence")
    NAME_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    after_sequence: int
    def __init__(self, name: _Optional[str] = ..., after_sequence: _Optional[int] = ...) -> None: ...

class CancelAuditRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteAuditRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class AuditEvent(_message.Message):
    __slots__ = ("sequence", "time", "state", "progress", "audit")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    time: _timestamp_pb2.Timestamp
    state: Audit.State
    progress: Progress
    audit: Audit
    def __init__(self, sequence: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[Audit.State, str]] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., audit: _Optional[_Union[Audit, _Mapping]] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("phase", "replicates", "max_replicates", "decided_tests", "total_tests", "tests")
    class Phase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        PHASE_UNSPECIFIED: _ClassVar[Progress.Phase]
        PREPARING: _ClassVar[Progress.Phase]
        SAMPLING: _ClassVar[Progress.Phase]
        JUDGING: _ClassVar[Progress.Phase]
    PHASE_UNSPECIFIED: Progress.Phase
    PREPARING: Progress.Phase
    SAMPLING: Progress.Phase
    JUDGING: Progress.Phase
    PHASE_FIELD_NUMBER: _ClassVar[int]
    REPLICATES_FIELD_NUMBER: _ClassVar[int]
    MAX_REPLICATES_FIELD_NUMBER: _ClassVar[int]
    DECIDED_TESTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TESTS_FIELD_NUMBER: _ClassVar[int]
    TESTS_FIELD_NUMBER: _ClassVar[int]
    phase: Progress.Phase
    replicates: int
    max_replicates: int
    decided_tests: int
    total_tests: int
    tests: _containers.RepeatedCompositeFieldContainer[TestProgress]
    def __init__(self, phase: _Optional[_Union[Progress.Phase, str]] = ..., replicates: _Optional[int] = ..., max_replicates: _Optional[int] = ..., decided_tests: _Optional[int] = ..., total_tests: _Optional[int] = ..., tests: _Optional[_Iterable[_Union[TestProgress, _Mapping]]] = ...) -> None: ...

class TestProgress(_message.Message):
    __slots__ = ("subject", "quantity", "interval", "decided")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    DECIDED_FIELD_NUMBER: _ClassVar[int]
    subject: str
    quantity: str
    interval: Interval
    decided: bool
    def __init__(self, subject: _Optional[str] = ..., quantity: _Optional[str] = ..., interval: _Optional[_Union[Interval, _Mapping]] = ..., decided: _Optional[bool] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("verdict", "summary", "findings", "sites", "outputs", "execution", "shortened")
    class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        VERDICT_UNSPECIFIED: _ClassVar[Report.Verdict]
        PASS: _ClassVar[Report.Verdict]
        WARN: _ClassVar[Report.Verdict]
        FAIL: _ClassVar[Report.Verdict]
        INCONCLUSIVE: _ClassVar[Report.Verdict]
    VERDICT_UNSPECIFIED: Report.Verdict
    PASS: Report.Verdict
    WARN: Report.Verdict
    FAIL: Report.Verdict
    INCONCLUSIVE: Report.Verdict
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    SITES_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    SHORTENED_FIELD_NUMBER: _ClassVar[int]
    verdict: Report.Verdict
    summary: str
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    sites: _containers.RepeatedCompositeFieldContainer[Site]
    outputs: _containers.RepeatedCompositeFieldContainer[Output]
    execution: Execution
    shortened: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, verdict: _Optional[_Union[Report.Verdict, str]] = ..., summary: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., sites: _Optional[_Iterable[_Union[Site, _Mapping]]] = ..., outputs: _Optional[_Iterable[_Union[Output, _Mapping]]] = ..., execution: _Optional[_Union[Execution, _Mapping]] = ..., shortened: _Optional[_Iterable[str]] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("code", "slug", "severity", "subject", "message", "remedy", "evidence", "acceptance")
    class Severity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SEVERITY_UNSPECIFIED: _ClassVar[Finding.Severity]
        ERROR: _ClassVar[Finding.Severity]
        WARNING: _ClassVar[Finding.Severity]
        INFO: _ClassVar[Finding.Severity]
    SEVERITY_UNSPECIFIED: Finding.Severity
    ERROR: Finding.Severity
    WARNING: Finding.Severity
    INFO: Finding.Severity
    CODE_FIELD_NUMBER: _ClassVar[int]
    SLUG_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    REMEDY_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    ACCEPTANCE_FIELD_NUMBER: _ClassVar[int]
    code: str
    slug: str
    severity: Finding.Severity
    subject: str
    message: str
    remedy: str
    evidence: _struct_pb2.Struct
    acceptance: Acceptance
    def __init__(self, code: _Optional[str] = ..., slug: _Optional[str] = ..., severity: _Optional[_Union[Finding.Severity, str]] = ..., subject: _Optional[str] = ..., message: _Optional[str] = ..., remedy: _Optional[str] = ..., evidence: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., acceptance: _Optional[_Union[Acceptance, _Mapping]] = ...) -> None: ...

class Acceptance(_message.Message):
    __slots__ = ("reason", "accepted_by", "expire_time")
    REASON_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_BY_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    reason: str
    accepted_by: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, reason: _Optional[str] = ..., accepted_by: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Site(_message.Message):
    __slots__ = ("name", "path", "placement", "implementation", "family", "declared_keep_prob", "keep_prob", "scale", "active_in_default_session", "shared_over", "elements", "module", "location", "keep_prob_trajectory", "factors", "surroundings")
    class Placement(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        PLACEMENT_UNSPECIFIED: _ClassVar[Site.Placement]
        INPUT: _ClassVar[Site.Placement]
        OUTPUT: _ClassVar[Site.Placement]
        BETWEEN_LAYERS: _ClassVar[Site.Placement]
        STATE_H: _ClassVar[Site.Placement]
        STATE_C: _ClassVar[Site.Placement]
        WEIGHT: _ClassVar[Site.Placement]
        EMBEDDING: _ClassVar[Site.Placement]
        HEAD: _ClassVar[Site.Placement]
        UNKNOWN: _ClassVar[Site.Placement]
    PLACEMENT_UNSPECIFIED: Site.Placement
    INPUT: Site.Placement
    OUTPUT: Site.Placement
    BETWEEN_LAYERS: Site.Placement
    STATE_H: Site.Placement
    STATE_C: Site.Placement
    WEIGHT: Site.Placement
    EMBEDDING: Site.Placement
    HEAD: Site.Placement
    UNKNOWN: Site.Placement
    class Implementation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        IMPLEMENTATION_UNSPECIFIED: _ClassVar[Site.Implementation]
        DROPOUT_OP: _ClassVar[Site.Implementation]
        UNIFORM_CHAIN: _ClassVar[Site.Implementation]
        BERNOULLI: _ClassVar[Site.Implementation]
        NORMAL: _ClassVar[Site.Implementation]
        CONSTANT_MASK: _ClassVar[Site.Implementation]
        MULTINOMIAL: _ClassVar[Site.Implementation]
    IMPLEMENTATION_UNSPECIFIED: Site.Implementation
    DROPOUT_OP: Site.Implementation
    UNIFORM_CHAIN: Site.Implementation
    BERNOULLI: Site.Implementation
    NORMAL: Site.Implementation
    CONSTANT_MASK: Site.Implementation
    MULTINOMIAL: Site.Implementation
    class Family(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FAMILY_UNSPECIFIED: _ClassVar[Site.Family]
        INVERTED: _ClassVar[Site.Family]
        UNSCALED: _ClassVar[Site.Family]
        ALPHA: _ClassVar[Site.Family]
        GAUSSIAN: _ClassVar[Site.Family]
        OTHER: _ClassVar[Site.Family]
    FAMILY_UNSPECIFIED: Site.Family
    INVERTED: Site.Family
    UNSCALED: Site.Family
    ALPHA: Site.Family
    GAUSSIAN: Site.Family
    OTHER: Site.Family
    class Axis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        AXIS_UNSPECIFIED: _ClassVar[Site.Axis]
        BATCH: _ClassVar[Site.Axis]
        TIME: _ClassVar[Site.Axis]
        FEATURE: _ClassVar[Site.Axis]
    AXIS_UNSPECIFIED: Site.Axis
    BATCH: Site.Axis
    TIME: Site.Axis
    FEATURE: Site.Axis
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    IMPLEMENTATION_FIELD_NUMBER: _ClassVar[int]
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    DECLARED_KEEP_PROB_FIELD_NUMBER: _ClassVar[int]
    KEEP_PROB_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_IN_DEFAULT_SESSION_FIELD_NUMBER: _ClassVar[int]
    SHARED_OVER_FIELD_NUMBER: _ClassVar[int]
    ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    MODULE_FIELD_NUMBER: _ClassVar[int]
    LOCATION_FIELD_NUMBER: _ClassVar[int]
    KEEP_PROB_TRAJECTORY_FIELD_NUMBER: _ClassVar[int]
    FACTORS_FIELD_NUMBER: _ClassVar[int]
    SURROUNDINGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    path: str
    placement: Site.Placement
    implementation: Site.Implementation
    family: Site.Family
    declared_keep_prob: float
    keep_prob: Interval
    scale: Scale
    active_in_default_session: bool
    shared_over: _containers.RepeatedScalarFieldContainer[Site.Axis]
    elements: int
    module: str
    location: str
    keep_prob_trajectory: Trajectory
    factors: Histogram
    surroundings: Surroundings
    def __init__(self, name: _Optional[str] = ..., path: _Optional[str] = ..., placement: _Optional[_Union[Site.Placement, str]] = ..., implementation: _Optional[_Union[Site.Implementation, str]] = ..., family: _Optional[_Union[Site.Family, str]] = ..., declared_keep_prob: _Optional[float] = ..., keep_prob: _Optional[_Union[Interval, _Mapping]] = ..., scale: _Optional[_Union[Scale, _Mapping]] = ..., active_in_default_session: _Optional[bool] = ..., shared_over: _Optional[_Iterable[_Union[Site.Axis, str]]] = ..., elements: _Optional[int] = ..., module: _Optional[str] = ..., location: _Optional[str] = ..., keep_prob_trajectory: _Optional[_Union[Trajectory, _Mapping]] = ..., factors: _Optional[_Union[Histogram, _Mapping]] = ..., surroundings: _Optional[_Union[Surroundings, _Mapping]] = ...) -> None: ...

class Output(_message.Message):
    __slots__ = ("name", "shape", "scale_factor", "zero_fraction", "survivor_ratio", "linear", "time_profile", "histogram", "attributions", "scale_factor_trajectory", "excerpt")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    SCALE_FACTOR_FIELD_NUMBER: _ClassVar[int]
    ZERO_FRACTION_FIELD_NUMBER: _ClassVar[int]
    SURVIVOR_RATIO_FIELD_NUMBER: _ClassVar[int]
    LINEAR_FIELD_NUMBER: _ClassVar[int]
    TIME_PROFILE_FIELD_NUMBER: _ClassVar[int]
    HISTOGRAM_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    SCALE_FACTOR_TRAJECTORY_FIELD_NUMBER: _ClassVar[int]
    EXCERPT_FIELD_NUMBER: _ClassVar[int]
    name: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    scale_factor: Interval
    zero_fraction: float
    survivor_ratio: Spread
    linear: bool
    time_profile: _containers.RepeatedScalarFieldContainer[float]
    histogram: Histogram
    attributions: Attributions
    scale_factor_trajectory: Trajectory
    excerpt: Excerpt
    def __init__(self, name: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., scale_factor: _Optional[_Union[Interval, _Mapping]] = ..., zero_fraction: _Optional[float] = ..., survivor_ratio: _Optional[_Union[Spread, _Mapping]] = ..., linear: _Optional[bool] = ..., time_profile: _Optional[_Iterable[float]] = ..., histogram: _Optional[_Union[Histogram, _Mapping]] = ..., attributions: _Optional[_Union[Attributions, _Mapping]] = ..., scale_factor_trajectory: _Optional[_Union[Trajectory, _Mapping]] = ..., excerpt: _Optional[_Union[Excerpt, _Mapping]] = ...) -> None: ...

class Attributions(_message.Message):
    __slots__ = ("sites",)
    SITES_FIELD_NUMBER: _ClassVar[int]
    sites: _containers.RepeatedCompositeFieldContainer[Attribution]
    def __init__(self, sites: _Optional[_Iterable[_Union[Attribution, _Mapping]]] = ...) -> None: ...

class Attribution(_message.Message):
    __slots__ = ("site", "mean_gap_alone", "mean_gap_without", "variance_alone", "variance_without")
    SITE_FIELD_NUMBER: _ClassVar[int]
    MEAN_GAP_ALONE_FIELD_NUMBER: _ClassVar[int]
    MEAN_GAP_WITHOUT_FIELD_NUMBER: _ClassVar[int]
    VARIANCE_ALONE_FIELD_NUMBER: _ClassVar[int]
    VARIANCE_WITHOUT_FIELD_NUMBER: _ClassVar[int]
    site: str
    mean_gap_alone: float
    mean_gap_without: float
    variance_alone: float
    variance_without: float
    def __init__(self, site: _Optional[str] = ..., mean_gap_alone: _Optional[float] = ..., mean_gap_without: _Optional[float] = ..., variance_alone: _Optional[float] = ..., variance_without: _Optional[float] = ...) -> None: ...

class Interval(_message.Message):
    __slots__ = ("estimate", "lower", "upper")
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    estimate: float
    lower: float
    upper: float
    def __init__(self, estimate: _Optional[float] = ..., lower: _Optional[float] = ..., upper: _Optional[float] = ...) -> None: ...

class Spread(_message.Message):
    __slots__ = ("min", "median", "max")
    MIN_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    min: float
    median: float
    max: float
    def __init__(self, min: _Optional[float] = ..., median: _Optional[float] = ..., max: _Optional[float] = ...) -> None: ...

class Scale(_message.Message):
    __slots__ = ("min", "median", "max", "expected")
    MIN_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    min: float
    median: float
    max: float
    expected: float
    def __init__(self, min: _Optional[float] = ..., median: _Optional[float] = ..., max: _Optional[float] = ..., expected: _Optional[float] = ...) -> None: ...

class Histogram(_message.Message):
    __slots__ = ("edges", "counts", "below", "above")
    EDGES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    BELOW_FIELD_NUMBER: _ClassVar[int]
    ABOVE_FIELD_NUMBER: _ClassVar[int]
    edges: _containers.RepeatedScalarFieldContainer[float]
    counts: _containers.RepeatedScalarFieldContainer[int]
    below: int
    above: int
    def __init__(self, edges: _Optional[_Iterable[float]] = ..., counts: _Optional[_Iterable[int]] = ..., below: _Optional[int] = ..., above: _Optional[int] = ...) -> None: ...

class Trajectory(_message.Message):
    __slots__ = ("replicates", "lower", "estimate", "upper")
    REPLICATES_FIELD_NUMBER: _ClassVar[int]
    LOWER_FIELD_NUMBER: _ClassVar[int]
    ESTIMATE_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    replicates: _containers.RepeatedScalarFieldContainer[int]
    lower: _containers.RepeatedScalarFieldContainer[float]
    estimate: _containers.RepeatedScalarFieldContainer[float]
    upper: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, replicates: _Optional[_Iterable[int]] = ..., lower: _Optional[_Iterable[float]] = ..., estimate: _Optional[_Iterable[float]] = ..., upper: _Optional[_Iterable[float]] = ...) -> None: ...

class Excerpt(_message.Message):
    __slots__ = ("columns", "inference", "train")
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    INFERENCE_FIELD_NUMBER: _ClassVar[int]
    TRAIN_FIELD_NUMBER: _ClassVar[int]
    columns: int
    inference: _containers.RepeatedScalarFieldContainer[float]
    train: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, columns: _Optional[int] = ..., inference: _Optional[_Iterable[float]] = ..., train: _Optional[_Iterable[float]] = ...) -> None: ...

class Surroundings(_message.Message):
    __slots__ = ("before", "mask", "applied", "after", "readers")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    APPLIED_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    READERS_FIELD_NUMBER: _ClassVar[int]
    before: _containers.RepeatedCompositeFieldContainer[Operator]
    mask: _containers.RepeatedCompositeFieldContainer[Operator]
    applied: _containers.RepeatedCompositeFieldContainer[Operator]
    after: _containers.RepeatedCompositeFieldContainer[Operator]
    readers: int
    def __init__(self, before: _Optional[_Iterable[_Union[Operator, _Mapping]]] = ..., mask: _Optional[_Iterable[_Union[Operator, _Mapping]]] = ..., applied: _Optional[_Iterable[_Union[Operator, _Mapping]]] = ..., after: _Optional[_Iterable[_Union[Operator, _Mapping]]] = ..., readers: _Optional[int] = ...) -> None: ...

class Operator(_message.Message):
    __slots__ = ("type", "name")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    type: str
    name: str
    def __init__(self, type: _Optional[str] = ..., name: _Optional[str] = ...) -> None: ...

class Execution(_message.Message):
    __slots__ = ("provider", "device", "runtime_version", "seed", "inputs", "replicates", "stopped", "seconds", "artifacts", "sampling", "fallbacks", "placement", "sampling_reason", "device_memory_bytes", "version", "settings")
    class Stop(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STOP_UNSPECIFIED: _ClassVar[Execution.Stop]
        DECIDED: _ClassVar[Execution.Stop]
        EXHAUSTED: _ClassVar[Execution.Stop]
    STOP_UNSPECIFIED: Execution.Stop
    DECIDED: Execution.Stop
    EXHAUSTED: Execution.Stop
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_VERSION_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    REPLICATES_FIELD_NUMBER: _ClassVar[int]
    STOPPED_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    FALLBACKS_FIELD_NUMBER: _ClassVar[int]
    PLACEMENT_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_REASON_FIELD_NUMBER: _ClassVar[int]
    DEVICE_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    provider: str
    device: str
    runtime_version: str
    seed: int
    inputs: _containers.RepeatedCompositeFieldContainer[InputTensor]
    replicates: int
    stopped: Execution.Stop
    seconds: Seconds
    artifacts: _containers.RepeatedCompositeFieldContainer[Artifact]
    sampling: str
    fallbacks: _containers.RepeatedScalarFieldContainer[str]
    placement: str
    sampling_reason: str
    device_memory_bytes: int
    version: str
    settings: Settings
    def __init__(self, provider: _Optional[str] = ..., device: _Optional[str] = ..., runtime_version: _Optional[str] = ..., seed: _Optional[int] = ..., inputs: _Optional[_Iterable[_Union[InputTensor, _Mapping]]] = ..., replicates: _Optional[int] = ..., stopped: _Optional[_Union[Execution.Stop, str]] = ..., seconds: _Optional[_Union[Seconds, _Mapping]] = ..., artifacts: _Optional[_Iterable[_Union[Artifact, _Mapping]]] = ..., sampling: _Optional[str] = ..., fallbacks: _Optional[_Iterable[str]] = ..., placement: _Optional[str] = ..., sampling_reason: _Optional[str] = ..., device_memory_bytes: _Optional[int] = ..., version: _Optional[str] = ..., settings: _Optional[_Union[Settings, _Mapping]] = ...) -> None: ...

class Settings(_message.Message):
    __slots__ = ("alpha", "tolerance", "max_replicates", "provider", "compare_provider", "role", "keep_prob")
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    TOLERANCE_FIELD_NUMBER: _ClassVar[int]
    MAX_REPLICATES_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    COMPARE_PROVIDER_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    KEEP_PROB_FIELD_NUMBER: _ClassVar[int]
    alpha: float
    tolerance: float
    max_replicates: int
    provider: str
    compare_provider: str
    role: str
    keep_prob: float
    def __init__(self, alpha: _Optional[float] = ..., tolerance: _Optional[float] = ..., max_replicates: _Optional[int] = ..., provider: _Optional[str] = ..., compare_provider: _Optional[str] = ..., role: _Optional[str] = ..., keep_prob: _Optional[float] = ...) -> None: ...

class InputTensor(_message.Message):
    __slots__ = ("name", "dtype", "shape", "synthesized")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DTYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    SYNTHESIZED_FIELD_NUMBER: _ClassVar[int]
    name: str
    dtype: str
    shape: _containers.RepeatedScalarFieldContainer[int]
    synthesized: bool
    def __init__(self, name: _Optional[str] = ..., dtype: _Optional[str] = ..., shape: _Optional[_Iterable[int]] = ..., synthesized: _Optional[bool] = ...) -> None: ...

class Seconds(_message.Message):
    __slots__ = ("prepare", "run", "total")
    PREPARE_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    prepare: float
    run: float
    total: float
    def __init__(self, prepare: _Optional[float] = ..., run: _Optional[float] = ..., total: _Optional[float] = ...) -> None: ...

class Artifact(_message.Message):
    __slots__ = ("sha256", "bytes", "display_name")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    sha256: str
    bytes: int
    display_name: str
    def __init__(self, sha256: _Optional[str] = ..., bytes: _Optional[int] = ..., display_name: _Optional[str] = ...) -> None: ...

class Suite(_message.Message):
    __slots__ = ("name", "display_name", "members", "options", "schedule", "baseline", "notifications", "labels", "create_time", "update_time", "etag", "accepted_findings", "always_audit", "last_run")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FINDINGS_FIELD_NUMBER: _ClassVar[int]
    ALWAYS_AUDIT_FIELD_NUMBER: _ClassVar[int]
    LAST_RUN_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    members: _containers.RepeatedCompositeFieldContainer[SuiteMember]
    options: AuditOptions
    schedule: Schedule
    baseline: str
    notifications: _containers.RepeatedCompositeFieldContainer[Notification]
    labels: _containers.ScalarMap[str, str]
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    etag: str
    accepted_findings: _containers.RepeatedCompositeFieldContainer[AcceptedFinding]
    always_audit: bool
    last_run: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., members: _Optional[_Iterable[_Union[SuiteMember, _Mapping]]] = ..., options: _Optional[_Union[AuditOptions, _Mapping]] = ..., schedule: _Optional[_Union[Schedule, _Mapping]] = ..., baseline: _Optional[str] = ..., notifications: _Optional[_Iterable[_Union[Notification, _Mapping]]] = ..., labels: _Optional[_Mapping[str, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., accepted_findings: _Optional[_Iterable[_Union[AcceptedFinding, _Mapping]]] = ..., always_audit: _Optional[bool] = ..., last_run: _Optional[str] = ...) -> None: ...

class SuiteMember(_message.Message):
    __slots__ = ("artifact", "pair", "glob", "named", "uri_glob", "pair_pattern", "triton", "mlflow", "recorded", "overrides", "display_name")
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    PAIR_FIELD_NUMBER: _ClassVar[int]
    GLOB_FIELD_NUMBER: _ClassVar[int]
    NAMED_FIELD_NUMBER: _ClassVar[int]
    URI_GLOB_FIELD_NUMBER: _ClassVar[int]
    PAIR_PATTERN_FIELD_NUMBER: _ClassVar[int]
    TRITON_FIELD_NUMBER: _ClassVar[int]
    MLFLOW_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    OVERRIDES_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    artifact: ArtifactSubject
    pair: PairSubject
    glob: Glob
    named: NamedModel
    uri_glob: UriGlob
    pair_pattern: PairPattern
    triton: TritonRepository
    mlflow: MlflowModel
    recorded: RecordedSubject
    overrides: Overrides
    display_name: str
    def __init__(self, artifact: _Optional[_Union[ArtifactSubject, _Mapping]] = ..., pair: _Optional[_Union[PairSubject, _Mapping]] = ..., glob: _Optional[_Union[Glob, _Mapping]] = ..., named: _Optional[_Union[NamedModel, _Mapping]] = ..., uri_glob: _Optional[_Union[UriGlob, _Mapping]] = ..., pair_pattern: _Optional[_Union[PairPattern, _Mapping]] = ..., triton: _Optional[_Union[TritonRepository, _Mapping]] = ..., mlflow: _Optional[_Union[MlflowModel, _Mapping]] = ..., recorded: _Optional[_Union[RecordedSubject, _Mapping]] = ..., overrides: _Optional[_Union[Overrides, _Mapping]] = ..., display_name: _Optional[str] = ...) -> None: ...

class Overrides(_message.Message):
    __slots__ = ("role", "keep_prob", "inputs", "options")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    KEEP_PROB_FIELD_NUMBER: _ClassVar[int]
    INPUTS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    role: Role
    keep_prob: float
    inputs: TensorSet
    options: AuditOptions
    def __init__(self, role: _Optional[_Union[Role, str]] = ..., keep_prob: _Optional[float] = ..., inputs: _Optional[_Union[TensorSet, _Mapping]] = ..., options: _Optional[_Union[AuditOptions, _Mapping]] = ...) -> None: ...

class Glob(_message.Message):
    __slots__ = ("pattern", "role", "alias", "all_versions")
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    ALL_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    pattern: str
    role: Role
    alias: str
    all_versions: bool
    def __init__(self, pattern: _Optional[str] = ..., role: _Optional[_Union[Role, str]] = ..., alias: _Optional[str] = ..., all_versions: _Optional[bool] = ...) -> None: ...

class NamedModel(_message.Message):
    __slots__ = ("display_name", "alias", "version", "role")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    alias: str
    version: int
    role: Role
    def __init__(self, display_name: _Optional[str] = ..., alias: _Optional[str] = ..., version: _Optional[int] = ..., role: _Optional[_Union[Role, str]] = ...) -> None: ...

class UriGlob(_message.Message):
    __slots__ = ("pattern", "role")
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    pattern: str
    role: Role
    def __init__(self, pattern: _Optional[str] = ..., role: _Optional[_Union[Role, str]] = ...) -> None: ...

class PairPattern(_message.Message):
    __slots__ = ("train", "inference")
    TRAIN_FIELD_NUMBER: _ClassVar[int]
    INFERENCE_FIELD_NUMBER: _ClassVar[int]
    train: str
    inference: str
    def __init__(self, train: _Optional[str] = ..., inference: _Optional[str] = ...) -> None: ...

class TritonRepository(_message.Message):
    __slots__ = ("uri", "pattern", "file", "role")
    URI_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    uri: str
    pattern: str
    file: str
    role: Role
    def __init__(self, uri: _Optional[str] = ..., pattern: _Optional[str] = ..., file: _Optional[str] = ..., role: _Optional[_Union[Role, str]] = ...) -> None: ...

class MlflowModel(_message.Message):
    __slots__ = ("uri", "role")
    URI_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    uri: str
    role: Role
    def __init__(self, uri: _Optional[str] = ..., role: _Optional[_Union[Role, str]] = ...) -> None: ...

class Schedule(_message.Message):
    __slots__ = ("cron", "paused", "time_zone", "overlap", "grace", "next_time")
    class Overlap(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OVERLAP_UNSPECIFIED: _ClassVar[Schedule.Overlap]
        SKIP: _ClassVar[Schedule.Overlap]
        QUEUE: _ClassVar[Schedule.Overlap]
        CANCEL_OLD: _ClassVar[Schedule.Overlap]
    OVERLAP_UNSPECIFIED: Schedule.Overlap
    SKIP: Schedule.Overlap
    QUEUE: Schedule.Overlap
    CANCEL_OLD: Schedule.Overlap
    CRON_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    GRACE_FIELD_NUMBER: _ClassVar[int]
    NEXT_TIME_FIELD_NUMBER: _ClassVar[int]
    cron: str
    paused: bool
    time_zone: str
    overlap: Schedule.Overlap
    grace: _duration_pb2.Duration
    next_time: _timestamp_pb2.Timestamp
    def __init__(self, cron: _Optional[str] = ..., paused: _Optional[bool] = ..., time_zone: _Optional[str] = ..., overlap: _Optional[_Union[Schedule.Overlap, str]] = ..., grace: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., next_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AcceptedFinding(_message.Message):
    __slots__ = ("code", "member", "subject", "acceptance", "range")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTANCE_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    member: str
    subject: str
    acceptance: Acceptance
    range: Range
    def __init__(self, code: _Optional[str] = ..., member: _Optional[str] = ..., subject: _Optional[str] = ..., acceptance: _Optional[_Union[Acceptance, _Mapping]] = ..., range: _Optional[_Union[Range, _Mapping]] = ...) -> None: ...

class Range(_message.Message):
    __slots__ = ("lower", "upper")
    LOWER_FIELD_NUMBER: _ClassVar[int]
    UPPER_FIELD_NUMBER: _ClassVar[int]
    lower: float
    upper: float
    def __init__(self, lower: _Optional[float] = ..., upper: _Optional[float] = ...) -> None: ...

class Notification(_message.Message):
    __slots__ = ("trigger", "webhook_url", "secret", "form", "signed")
    class Trigger(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TRIGGER_UNSPECIFIED: _ClassVar[Notification.Trigger]
        ON_CHANGE: _ClassVar[Notification.Trigger]
        ON_FAILURE: _ClassVar[Notification.Trigger]
        ALWAYS: _ClassVar[Notification.Trigger]
        ON_RECOVERY: _ClassVar[Notification.Trigger]
    TRIGGER_UNSPECIFIED: Notification.Trigger
    ON_CHANGE: Notification.Trigger
    ON_FAILURE: Notification.Trigger
    ALWAYS: Notification.Trigger
    ON_RECOVERY: Notification.Trigger
    class Form(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FORM_UNSPECIFIED: _ClassVar[Notification.Form]
        JSON: _ClassVar[Notification.Form]
        SLACK: _ClassVar[Notification.Form]
    FORM_UNSPECIFIED: Notification.Form
    JSON: Notification.Form
    SLACK: Notification.Form
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_URL_FIELD_NUMBER: _ClassVar[int]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    SIGNED_FIELD_NUMBER: _ClassVar[int]
    trigger: Notification.Trigger
    webhook_url: str
    secret: str
    form: Notification.Form
    signed: bool
    def __init__(self, trigger: _Optional[_Union[Notification.Trigger, str]] = ..., webhook_url: _Optional[str] = ..., secret: _Optional[str] = ..., form: _Optional[_Union[Notification.Form, str]] = ..., signed: _Optional[bool] = ...) -> None: ...

class CreateSuiteRequest(_message.Message):
    __slots__ = ("suite", "suite_id", "validate_only")
    SUITE_FIELD_NUMBER: _ClassVar[int]
    SUITE_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    suite: Suite
    suite_id: str
    validate_only: bool
    def __init__(self, suite: _Optional[_Union[Suite, _Mapping]] = ..., suite_id: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class GetSuiteRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListSuitesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "view")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    view: View
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., view: _Optional[_Union[View, str]] = ...) -> None: ...

class ListSuitesResponse(_message.Message):
    __slots__ = ("suites", "next_page_token")
    SUITES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    suites: _containers.RepeatedCompositeFieldContainer[Suite]
    next_page_token: str
    def __init__(self, suites: _Optional[_Iterable[_Union[Suite, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateSuiteRequest(_message.Message):
    __slots__ = ("suite", "update_mask", "validate_only")
    SUITE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    suite: Suite
    update_mask: _field_mask_pb2.FieldMask
    validate_only: bool
    def __init__(self, suite: _Optional[_Union[Suite, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class DeleteSuiteRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class PauseSuiteRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ResumeSuiteRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class PreviewSuiteRequest(_message.Message):
    __slots__ = ("name", "suite")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUITE_FIELD_NUMBER: _ClassVar[int]
    name: str
    suite: Suite
    def __init__(self, name: _Optional[str] = ..., suite: _Optional[_Union[Suite, _Mapping]] = ...) -> None: ...

class PreviewSuiteResponse(_message.Message):
    __slots__ = ("members", "total", "notes")
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[ResolvedMember]
    total: int
    notes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, members: _Optional[_Iterable[_Union[ResolvedMember, _Mapping]]] = ..., total: _Optional[int] = ..., notes: _Optional[_Iterable[str]] = ...) -> None: ...

class ResolvedMember(_message.Message):
    __slots__ = ("display_name", "artifacts", "position")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    ARTIFACTS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    artifacts: _containers.RepeatedCompositeFieldContainer[ResolvedArtifact]
    position: int
    def __init__(self, display_name: _Optional[str] = ..., artifacts: _Optional[_Iterable[_Union[ResolvedArtifact, _Mapping]]] = ..., position: _Optional[int] = ...) -> None: ...

class ResolvedArtifact(_message.Message):
    __slots__ = ("display_name", "sha256", "version", "uri")
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    sha256: str
    version: int
    uri: str
    def __init__(self, display_name: _Optional[str] = ..., sha256: _Optional[str] = ..., version: _Optional[int] = ..., uri: _Optional[str] = ...) -> None: ...

class RunSuiteRequest(_message.Message):
    __slots__ = ("name", "request_id", "always_audit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ALWAYS_AUDIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    always_audit: bool
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ..., always_audit: _Optional[bool] = ...) -> None: ...

class Run(_message.Message):
    __slots__ = ("name", "state", "trigger", "verdict", "audits", "create_time", "end_time", "due_time", "duration", "counts", "reason", "notes", "comparison", "baseline_comparison", "caller")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Run.State]
        RUNNING: _ClassVar[Run.State]
        FINISHED: _ClassVar[Run.State]
        RESOLVING: _ClassVar[Run.State]
        WAITING: _ClassVar[Run.State]
        CANCELLED: _ClassVar[Run.State]
        SKIPPED: _ClassVar[Run.State]
    STATE_UNSPECIFIED: Run.State
    RUNNING: Run.State
    FINISHED: Run.State
    RESOLVING: Run.State
    WAITING: Run.State
    CANCELLED: Run.State
    SKIPPED: Run.State
    class Trigger(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TRIGGER_UNSPECIFIED: _ClassVar[Run.Trigger]
        MANUAL: _ClassVar[Run.Trigger]
        SCHEDULE: _ClassVar[Run.Trigger]
    TRIGGER_UNSPECIFIED: Run.Trigger
    MANUAL: Run.Trigger
    SCHEDULE: Run.Trigger
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    AUDITS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    BASELINE_COMPARISON_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: Run.State
    trigger: Run.Trigger
    verdict: Report.Verdict
    audits: _containers.RepeatedCompositeFieldContainer[RunAudit]
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    due_time: _timestamp_pb2.Timestamp
    duration: _duration_pb2.Duration
    counts: RunCounts
    reason: str
    notes: _containers.RepeatedScalarFieldContainer[str]
    comparison: Comparison
    baseline_comparison: Comparison
    caller: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[Run.State, str]] = ..., trigger: _Optional[_Union[Run.Trigger, str]] = ..., verdict: _Optional[_Union[Report.Verdict, str]] = ..., audits: _Optional[_Iterable[_Union[RunAudit, _Mapping]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., counts: _Optional[_Union[RunCounts, _Mapping]] = ..., reason: _Optional[str] = ..., notes: _Optional[_Iterable[str]] = ..., comparison: _Optional[_Union[Comparison, _Mapping]] = ..., baseline_comparison: _Optional[_Union[Comparison, _Mapping]] = ..., caller: _Optional[str] = ...) -> None: ...

class RunCounts(_message.Message):
    __slots__ = ("total", "queued", "running", "succeeded", "failed", "cancelled", "warn", "fail", "inconclusive", "reused")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    QUEUED_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    PASS_FIELD_NUMBER: _ClassVar[int]
    WARN_FIELD_NUMBER: _ClassVar[int]
    FAIL_FIELD_NUMBER: _ClassVar[int]
    INCONCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    REUSED_FIELD_NUMBER: _ClassVar[int]
    total: int
    queued: int
    running: int
    succeeded: int
    failed: int
    cancelled: int
    warn: int
    fail: int
    inconclusive: int
    reused: int
    def __init__(self, total: _Optional[int] = ..., queued: _Optional[int] = ..., running: _Optional[int] = ..., succeeded: _Optional[int] = ..., failed: _Optional[int] = ..., cancelled: _Optional[int] = ..., warn: _Optional[int] = ..., fail: _Optional[int] = ..., inconclusive: _Optional[int] = ..., reused: _Optional[int] = ..., **kwargs) -> None: ...

class RunAudit(_message.Message):
    __slots__ = ("audit", "state", "verdict", "summary", "member", "reused", "report_verdict", "accepted")
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    REUSED_FIELD_NUMBER: _ClassVar[int]
    REPORT_VERDICT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    audit: str
    state: Audit.State
    verdict: Report.Verdict
    summary: str
    member: ResolvedMember
    reused: bool
    report_verdict: Report.Verdict
    accepted: _containers.RepeatedCompositeFieldContainer[FindingChange]
    def __init__(self, audit: _Optional[str] = ..., state: _Optional[_Union[Audit.State, str]] = ..., verdict: _Optional[_Union[Report.Verdict, str]] = ..., summary: _Optional[str] = ..., member: _Optional[_Union[ResolvedMember, _Mapping]] = ..., reused: _Optional[bool] = ..., report_verdict: _Optional[_Union[Report.Verdict, str]] = ..., accepted: _Optional[_Iterable[_Union[FindingChange, _Mapping]]] = ...) -> None: ...

class GetRunRequest(_message.Message):
    __slots__ = ("name", "view")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    name: str
    view: View
    def __init__(self, name: _Optional[str] = ..., view: _Optional[_Union[View, str]] = ...) -> None: ...

class ListRunsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "view")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    view: View
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., view: _Optional[_Union[View, str]] = ...) -> None: ...

class ListRunsResponse(_message.Message):
    __slots__ = ("runs", "next_page_token")
    RUNS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    runs: _containers.RepeatedCompositeFieldContainer[Run]
    next_page_token: str
    def __init__(self, runs: _Optional[_Iterable[_Union[Run, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchRunRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RunEvent(_message.Message):
    __slots__ = ("time", "progress", "run")
    TIME_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    progress: Run
    run: Run
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., progress: _Optional[_Union[Run, _Mapping]] = ..., run: _Optional[_Union[Run, _Mapping]] = ...) -> None: ...

class CancelRunRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class CompareRunsRequest(_message.Message):
    __slots__ = ("name", "base")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    name: str
    base: str
    def __init__(self, name: _Optional[str] = ..., base: _Optional[str] = ...) -> None: ...

class Comparison(_message.Message):
    __slots__ = ("base", "counts", "members", "shortened", "status")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[Comparison.Status]
        UNCHANGED: _ClassVar[Comparison.Status]
        CHANGED: _ClassVar[Comparison.Status]
        RECOVERED: _ClassVar[Comparison.Status]
        FAILED: _ClassVar[Comparison.Status]
        FIRST: _ClassVar[Comparison.Status]
    STATUS_UNSPECIFIED: Comparison.Status
    UNCHANGED: Comparison.Status
    CHANGED: Comparison.Status
    RECOVERED: Comparison.Status
    FAILED: Comparison.Status
    FIRST: Comparison.Status
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    SHORTENED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    base: str
    counts: ChangeCounts
    members: _containers.RepeatedCompositeFieldContainer[MemberChange]
    shortened: _containers.RepeatedScalarFieldContainer[str]
    status: Comparison.Status
    def __init__(self, base: _Optional[str] = ..., counts: _Optional[_Union[ChangeCounts, _Mapping]] = ..., members: _Optional[_Iterable[_Union[MemberChange, _Mapping]]] = ..., shortened: _Optional[_Iterable[str]] = ..., status: _Optional[_Union[Comparison.Status, str]] = ...) -> None: ...

class ChangeCounts(_message.Message):
    __slots__ = ("added", "removed", "replaced", "new_findings", "fixed_findings", "persisting_findings", "moved", "verdicts", "runtimes")
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    REPLACED_FIELD_NUMBER: _ClassVar[int]
    NEW_FINDINGS_FIELD_NUMBER: _ClassVar[int]
    FIXED_FINDINGS_FIELD_NUMBER: _ClassVar[int]
    PERSISTING_FINDINGS_FIELD_NUMBER: _ClassVar[int]
    MOVED_FIELD_NUMBER: _ClassVar[int]
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    RUNTIMES_FIELD_NUMBER: _ClassVar[int]
    added: int
    removed: int
    replaced: int
    new_findings: int
    fixed_findings: int
    persisting_findings: int
    moved: int
    verdicts: int
    runtimes: int
    def __init__(self, added: _Optional[int] = ..., removed: _Optional[int] = ..., replaced: _Optional[int] = ..., new_findings: _Optional[int] = ..., fixed_findings: _Optional[int] = ..., persisting_findings: _Optional[int] = ..., moved: _Optional[int] = ..., verdicts: _Optional[int] = ..., runtimes: _Optional[int] = ...) -> None: ...

class MemberChange(_message.Message):
    __slots__ = ("display_name", "kind", "audit", "base_audit", "verdict", "base_verdict", "failure", "findings", "measures", "runtime_version", "base_runtime_version", "sha256", "base_sha256", "status", "renamed")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[MemberChange.Kind]
        KEPT: _ClassVar[MemberChange.Kind]
        ADDED: _ClassVar[MemberChange.Kind]
        REMOVED: _ClassVar[MemberChange.Kind]
        REPLACED: _ClassVar[MemberChange.Kind]
    KIND_UNSPECIFIED: MemberChange.Kind
    KEPT: MemberChange.Kind
    ADDED: MemberChange.Kind
    REMOVED: MemberChange.Kind
    REPLACED: MemberChange.Kind
    class RenamedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    AUDIT_FIELD_NUMBER: _ClassVar[int]
    BASE_AUDIT_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    BASE_VERDICT_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_VERSION_FIELD_NUMBER: _ClassVar[int]
    BASE_RUNTIME_VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    BASE_SHA256_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RENAMED_FIELD_NUMBER: _ClassVar[int]
    display_name: str
    kind: MemberChange.Kind
    audit: str
    base_audit: str
    verdict: Report.Verdict
    base_verdict: Report.Verdict
    failure: str
    findings: _containers.RepeatedCompositeFieldContainer[FindingChange]
    measures: _containers.RepeatedCompositeFieldContainer[MeasureChange]
    runtime_version: str
    base_runtime_version: str
    sha256: _containers.RepeatedScalarFieldContainer[str]
    base_sha256: _containers.RepeatedScalarFieldContainer[str]
    status: Comparison.Status
    renamed: _containers.ScalarMap[str, str]
    def __init__(self, display_name: _Optional[str] = ..., kind: _Optional[_Union[MemberChange.Kind, str]] = ..., audit: _Optional[str] = ..., base_audit: _Optional[str] = ..., verdict: _Optional[_Union[Report.Verdict, str]] = ..., base_verdict: _Optional[_Union[Report.Verdict, str]] = ..., failure: _Optional[str] = ..., findings: _Optional[_Iterable[_Union[FindingChange, _Mapping]]] = ..., measures: _Optional[_Iterable[_Union[MeasureChange, _Mapping]]] = ..., runtime_version: _Optional[str] = ..., base_runtime_version: _Optional[str] = ..., sha256: _Optional[_Iterable[str]] = ..., base_sha256: _Optional[_Iterable[str]] = ..., status: _Optional[_Union[Comparison.Status, str]] = ..., renamed: _Optional[_Mapping[str, str]] = ...) -> None: ...

class FindingChange(_message.Message):
    __slots__ = ("kind", "code", "severity", "subject", "message", "acceptance", "base_severity")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[FindingChange.Kind]
        NEW: _ClassVar[FindingChange.Kind]
        FIXED: _ClassVar[FindingChange.Kind]
        PERSISTING: _ClassVar[FindingChange.Kind]
        RETURNED: _ClassVar[FindingChange.Kind]
        NEWLY_ACCEPTED: _ClassVar[FindingChange.Kind]
    KIND_UNSPECIFIED: FindingChange.Kind
    NEW: FindingChange.Kind
    FIXED: FindingChange.Kind
    PERSISTING: FindingChange.Kind
    RETURNED: FindingChange.Kind
    NEWLY_ACCEPTED: FindingChange.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ACCEPTANCE_FIELD_NUMBER: _ClassVar[int]
    BASE_SEVERITY_FIELD_NUMBER: _ClassVar[int]
    kind: FindingChange.Kind
    code: str
    severity: Finding.Severity
    subject: str
    message: str
    acceptance: Acceptance
    base_severity: Finding.Severity
    def __init__(self, kind: _Optional[_Union[FindingChange.Kind, str]] = ..., code: _Optional[str] = ..., severity: _Optional[_Union[Finding.Severity, str]] = ..., subject: _Optional[str] = ..., message: _Optional[str] = ..., acceptance: _Optional[_Union[Acceptance, _Mapping]] = ..., base_severity: _Optional[_Union[Finding.Severity, str]] = ...) -> None: ...

class MeasureChange(_message.Message):
    __slots__ = ("subject", "quantity", "before", "after")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    subject: str
    quantity: str
    before: Interval
    after: Interval
    def __init__(self, subject: _Optional[str] = ..., quantity: _Optional[str] = ..., before: _Optional[_Union[Interval, _Mapping]] = ..., after: _Optional[_Union[Interval, _Mapping]] = ...) -> None: ...

class RenderReportRequest(_message.Message):
    __slots__ = ("name", "form", "link_prefix")
    class Form(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FORM_UNSPECIFIED: _ClassVar[RenderReportRequest.Form]
        HTML: _ClassVar[RenderReportRequest.Form]
        JUNIT: _ClassVar[RenderReportRequest.Form]
        SARIF: _ClassVar[RenderReportRequest.Form]
        MARKDOWN: _ClassVar[RenderReportRequest.Form]
        JSON: _ClassVar[RenderReportRequest.Form]
    FORM_UNSPECIFIED: RenderReportRequest.Form
    HTML: RenderReportRequest.Form
    JUNIT: RenderReportRequest.Form
    SARIF: RenderReportRequest.Form
    MARKDOWN: RenderReportRequest.Form
    JSON: RenderReportRequest.Form
    NAME_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    LINK_PREFIX_FIELD_NUMBER: _ClassVar[int]
    name: str
    form: RenderReportRequest.Form
    link_prefix: str
    def __init__(self, name: _Optional[str] = ..., form: _Optional[_Union[RenderReportRequest.Form, str]] = ..., link_prefix: _Optional[str] = ...) -> None: ...

class RenderReportResponse(_message.Message):
    __slots__ = ("media_type", "chunk")
    MEDIA_TYPE_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    media_type: str
    chunk: bytes
    def __init__(self, media_type: _Optional[str] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("name", "run", "webhook_url", "trigger", "state", "attempts", "last_error", "create_time", "attempt_time", "next_time", "form")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Delivery.State]
        PENDING: _ClassVar[Delivery.State]
        DELIVERED: _ClassVar[Delivery.State]
        DEAD: _ClassVar[Delivery.State]
    STATE_UNSPECIFIED: Delivery.State
    PENDING: Delivery.State
    DELIVERED: Delivery.State
    DEAD: Delivery.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_URL_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_TIME_FIELD_NUMBER: _ClassVar[int]
    NEXT_TIME_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    name: str
    run: str
    webhook_url: str
    trigger: Notification.Trigger
    state: Delivery.State
    attempts: int
    last_error: str
    create_time: _timestamp_pb2.Timestamp
    attempt_time: _timestamp_pb2.Timestamp
    next_time: _timestamp_pb2.Timestamp
    form: Notification.Form
    def __init__(self, name: _Optional[str] = ..., run: _Optional[str] = ..., webhook_url: _Optional[str] = ..., trigger: _Optional[_Union[Notification.Trigger, str]] = ..., state: _Optional[_Union[Delivery.State, str]] = ..., attempts: _Optional[int] = ..., last_error: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempt_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., form: _Optional[_Union[Notification.Form, str]] = ...) -> None: ...

class ListDeliveriesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "state")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    state: Delivery.State
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., state: _Optional[_Union[Delivery.State, str]] = ...) -> None: ...

class ListDeliveriesResponse(_message.Message):
    __slots__ = ("deliveries", "next_page_token")
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[Delivery]
    next_page_token: str
    def __init__(self, deliveries: _Optional[_Iterable[_Union[Delivery, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RedeliverRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...
