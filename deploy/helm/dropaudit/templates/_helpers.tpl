{{- define "dropaudit.name" -}}
{{- printf "%s" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "dropaudit.selector" -}}
app.kubernetes.io/name: dropaudit
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "dropaudit.labels" -}}
{{ include "dropaudit.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "dropaudit.image" -}}
{{- $tag := .root.Values.image.tag | default .root.Chart.AppVersion -}}
{{- $registry := .root.Values.image.registry -}}
{{- if $registry }}{{ trimSuffix "/" $registry }}/{{ end }}{{ .image }}{{ if hasPrefix "sha256:" $tag }}@{{ else }}:{{ end }}{{ $tag }}
{{- end -}}

{{/* The secret with Redis's passwords: a given one, or the one that is made. Empty: an external Redis without passwords. */}}
{{- define "dropaudit.redisSecret" -}}
{{- if .Values.redis.existingSecret -}}
{{ .Values.redis.existingSecret }}
{{- else if .Values.redis.enabled -}}
{{ include "dropaudit.name" . }}-redis
{{- end -}}
{{- end -}}

{{- define "dropaudit.redisUrl" -}}
{{- if .root.Values.redis.enabled -}}
redis://{{ .user }}@{{ include "dropaudit.name" .root }}-redis:6379/0
{{- else -}}
{{- required "redis.external.url: needed where redis.enabled is false" .root.Values.redis.external.url | replace "{role}" .user -}}
{{- end -}}
{{- end -}}

{{- define "dropaudit.hasVolume" -}}
{{- if not .Values.content.url -}}yes{{- end -}}
{{- end -}}

{{- define "dropaudit.claim" -}}
{{ .Values.content.volume.existingClaim | default (printf "%s-content" (include "dropaudit.name" .)) }}
{{- end -}}

{{/* Settings of a role; what the chart makes of Redis, content and access stands first. */}}
{{- define "dropaudit.environment" -}}
- name: DROPAUDIT_REDIS_URL
  value: {{ include "dropaudit.redisUrl" . | quote }}
{{- if include "dropaudit.redisSecret" .root }}
- name: DROPAUDIT_REDIS_PASSWORD_FILE
  value: /run/redis/password
{{- end }}
{{- if not .root.Values.redis.enabled }}
- name: DROPAUDIT_REDIS_REPLICAS
  value: {{ .root.Values.redis.external.replicas | quote }}
{{- if .root.Values.redis.external.sentinelSecret }}
- name: DROPAUDIT_SENTINEL_PASSWORD_FILE
  value: /run/sentinel/password
{{- end }}
{{- end }}
- name: DROPAUDIT_BLOB_URL
  value: {{ .root.Values.content.url | default "file:///var/lib/dropaudit/blobs" | quote }}
{{- with .root.Values.content.s3.region }}
- name: AWS_REGION
  value: {{ . | quote }}
{{- end }}
{{- with .root.Values.content.s3.endpoint }}
- name: AWS_ENDPOINT_URL
  value: {{ . | quote }}
{{- end }}
{{- if .serves }}
- name: DROPAUDIT_ALLOW_ANONYMOUS
  value: {{ .root.Values.access.allowAnonymous | quote }}
{{- if .root.Values.access.tokensSecret }}
- name: DROPAUDIT_TOKENS_FILE
  value: /run/tokens/tokens.json
{{- end }}
{{- if .root.Values.access.tlsSecret }}
- name: DROPAUDIT_TLS_CERTIFICATE
  value: /run/certificates/tls.crt
- name: DROPAUDIT_TLS_KEY
  value: /run/certificates/tls.key
{{- if .root.Values.access.clientCertificates }}
- name: DROPAUDIT_TLS_CLIENT_CA
  value: /run/certificates/ca.crt
{{- end }}
{{- end }}
{{- if .root.Values.access.metricsTokenSecret }}
- name: DROPAUDIT_METRICS_TOKEN_FILE
  value: /run/metrics/token
{{- end }}
{{- end }}
{{- $all := merge (dict) .values.environment .root.Values.environment }}
{{- range $name, $value := $all }}
{{- if ne (toString $value) "" }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Was the file touched since this was last asked? No program is started for it but the shell. */}}
{{- define "dropaudit.heartbeat" -}}
exec:
  command:
    - /bin/sh
    - -c
    - '[ {{ .Values.environment.DROPAUDIT_HEARTBEAT_FILE }} -nt /tmp/looked ]; found=$?; : >/tmp/looked; exit $found'
{{- end -}}

{{- define "dropaudit.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "dropaudit.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* A deployment of one role: root, component, values, user (of Redis), serves, content, arguments, ports. */}}
{{- define "dropaudit.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "dropaudit.name" .root }}-{{ .component }}
  labels: {{- include "dropaudit.labels" . | nindent 4 }}
spec:
  {{- if not .scaled }}
  replicas: {{ .values.replicas | default 1 }}
  {{- end }}
  selector:
    matchLabels: {{- include "dropaudit.selector" . | nindent 6 }}
  {{- if .serves }}
  # A new pod is ready before an old one goes.
  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  {{- else if eq .component "beat" }}
  # One waits for the other's lock: it would never be ready beside it.
  strategy: {type: Recreate}
  {{- else }}
  # There may be no more room, or no other GPU: what an old worker had goes back to the queue.
  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1, maxSurge: 0}}
  {{- end }}
  template:
    metadata:
      labels: {{- include "dropaudit.labels" . | nindent 8 }}
      {{- with .root.Values.podAnnotations }}
      annotations: {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "dropaudit.name" .root }}
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: {{ .values.terminationGracePeriodSeconds }}
      securityContext: {{- include "dropaudit.podSecurity" (dict "user" 10001) | nindent 8 }}
      {{- with .root.Values.image.pullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "dropaudit.selector" . | nindent 14 }}
      containers:
        - name: {{ .component }}
          image: {{ include "dropaudit.image" (dict "root" .root "image" .values.image) }}
          imagePullPolicy: {{ .root.Values.image.pullPolicy }}
          {{- with .arguments }}
          args: {{- toYaml . | nindent 12 }}
          {{- end }}
          env: {{- include "dropaudit.environment" . | nindent 12 }}
          {{- if and .content .root.Values.content.s3.existingSecret }}
          envFrom:
            - secretRef: {name: {{ .root.Values.content.s3.existingSecret }}}
          {{- end }}
          {{- with .ports }}
          ports: {{- toYaml . | nindent 12 }}
          {{- end }}
          {{- if .listens }}
          # Ready once it is listened: whether Redis answers is told by the health service, to who asks.
          readinessProbe:
            {{- if and (eq .component "server") (not .root.Values.access.tlsSecret) }}
            grpc: {port: 50051}
            {{- else }}
            tcpSocket: {port: {{ .listens }}}
            {{- end }}
            periodSeconds: 5
            timeoutSeconds: 3
          {{- end }}
          startupProbe:
            {{- include "dropaudit.heartbeat" .root | nindent 12 }}
            periodSeconds: 15
            timeoutSeconds: 5
            failureThreshold: 20
          livenessProbe:
            {{- include "dropaudit.heartbeat" .root | nindent 12 }}
            periodSeconds: 30
            timeoutSeconds: 5
            failureThreshold: 4
          securityContext: {{- include "dropaudit.containerSecurity" .root | nindent 12 }}
          resources: {{- toYaml .values.resources | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            {{- if include "dropaudit.redisSecret" .root }}
            - {name: redis, mountPath: /run/redis, readOnly: true}
            {{- end }}
            {{- if and (not .root.Values.redis.enabled) .root.Values.redis.external.sentinelSecret }}
            - {name: sentinel, mountPath: /run/sentinel, readOnly: true}
            {{- end }}
            {{- if and .content (include "dropaudit.hasVolume" .root) }}
            - {name: content, mountPath: /var/lib/dropaudit/blobs}
            {{- end }}
            {{- if .serves }}
            {{- if .root.Values.access.tokensSecret }}
            - {name: tokens, mountPath: /run/tokens, readOnly: true}
            {{- end }}
            {{- if .root.Values.access.tlsSecret }}
            - {name: certificates, mountPath: /run/certificates, readOnly: true}
            {{- end }}
            {{- if .root.Values.access.metricsTokenSecret }}
            - {name: metrics, mountPath: /run/metrics, readOnly: true}
            {{- end }}
            {{- end }}
      volumes:
        - name: tmp
          emptyDir: {sizeLimit: {{ .values.tmp }}}
        {{- with include "dropaudit.redisSecret" .root }}
        # A role's own password, and no other's.
        - name: redis
          secret:
            secretName: {{ . }}
            defaultMode: 0440
            items: [{key: redis-{{ $.user }}, path: password}]
        {{- end }}
        {{- if and (not .root.Values.redis.enabled) .root.Values.redis.external.sentinelSecret }}
        - name: sentinel
          secret: {secretName: {{ .root.Values.redis.external.sentinelSecret }}, defaultMode: 0440}
        {{- end }}
        {{- if and .content (include "dropaudit.hasVolume" .root) }}
        - name: content
          persistentVolumeClaim: {claimName: {{ include "dropaudit.claim" .root }}}
        {{- end }}
        {{- if .serves }}
        {{- with .root.Values.access.tokensSecret }}
        - name: tokens
          secret: {secretName: {{ . }}, defaultMode: 0440}
        {{- end }}
        {{- with .root.Values.access.tlsSecret }}
        - name: certificates
          secret: {secretName: {{ . }}, defaultMode: 0440}
        {{- end }}
        {{- with .root.Values.access.metricsTokenSecret }}
        - name: metrics
          secret: {secretName: {{ . }}, defaultMode: 0440}
        {{- end }}
        {{- end }}
{{- end -}}

{{/* Of several pods of a role, some stay when nodes are drained. */}}
{{- define "dropaudit.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "dropaudit.name" .root }}-{{ .component }}
  labels: {{- include "dropaudit.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .values.maxUnavailable }}
  selector:
    matchLabels: {{- include "dropaudit.selector" . | nindent 6 }}
{{- end -}}
