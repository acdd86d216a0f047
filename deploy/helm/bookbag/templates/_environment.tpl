{{/* What processes are told. Secrets come by reference only. */}}

{{/* A plain value as an environment variable has it. Numbers pass through JSON, which writes large ones without an exponent. */}}
{{- define "bookbag.word" -}}
{{- if kindIs "string" . -}}{{ . }}{{- else -}}{{ toJson . }}{{- end -}}
{{- end -}}

{{/* One variable from a secret. Takes (dict "name" V "secret" S "key" K "optional" BOOL). A pod that runs once takes what is there, so that
the program can say in words what is missing; one that runs on waits for its secret. */}}
{{- define "bookbag.secret" }}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .secret }}
      key: {{ .key }}
      {{- if .optional }}
      optional: true
      {{- end }}
{{- end }}

{{/* What every process is told. Takes (dict "root" $). */}}
{{- define "bookbag.told.all" -}}
{{- $values := .root.Values }}
- name: BOOKBAG_ENVIRONMENT
  value: cluster
- name: BOOKBAG_HTTP_HOST
  value: 0.0.0.0
- name: BOOKBAG_HTTP_PORT
  value: "8000"
- name: BOOKBAG_ADMIN_PORT
  value: "8002"
- name: BOOKBAG_PUBLIC_URL
  value: {{ $values.publicUrl | quote }}
{{- with $values.gateway.trustedProxies }}
- name: BOOKBAG_TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
{{- with $values.trust.bundle }}
- name: SSL_CERT_FILE
  value: /etc/bookbag/trust/{{ . }}
- name: AWS_CA_BUNDLE
  value: /etc/bookbag/trust/{{ . }}
{{- end }}
{{- range $name, $value := $values.settings }}
- name: BOOKBAG_{{ upper $name }}
  value: {{ include "bookbag.word" $value | quote }}
{{- end }}
{{- end }}

{{/* What every process of a service is told beside that. Takes (dict "root" $ "servers" LIST "optional" BOOL). */}}
{{- define "bookbag.told.services" -}}
{{- $values := .root.Values -}}
{{- $root := .root -}}
{{- $optional := .optional }}
- name: BOOKBAG_GRPC_HOST
  value: 0.0.0.0
- name: BOOKBAG_GRPC_PORT
  value: "8001"
- name: BOOKBAG_PEERS
  {{- $peers := dict }}
  {{- range (.root.Files.Get "files/processes.yaml" | fromYaml).answering }}
  {{- $name := printf "dns:///%s.%s.svc.%s:8001" (include "bookbag.grpc" (dict "root" $root "service" .)) $root.Release.Namespace $values.clusterDomain }}
  {{- $_ := set $peers . $name }}
  {{- end }}
  value: {{ toJson $peers | quote }}
- name: BOOKBAG_USER_KEYS
  value: /etc/bookbag/keys/user_keys.json
- name: BOOKBAG_SERVICE_KEYS
  value: /etc/bookbag/keys/service_keys.json
- name: BOOKBAG_AUDIT_KEYS
  value: /etc/bookbag/keys/audit_keys.json
- name: BOOKBAG_SIGNING_KEYS
  value: /etc/bookbag/keys/private
- name: BOOKBAG_BUS
  value: kafka
{{- include "bookbag.secret" (dict "name" "BOOKBAG_REDIS_URL" "secret" $values.redis.secret "key" $values.redis.key "optional" $optional) }}
{{- if has "kafka" .servers }}
- name: BOOKBAG_KAFKA_URL
  value: {{ $values.kafka.brokers | quote }}
- name: BOOKBAG_KAFKA_SECURITY
  value: {{ $values.kafka.security }}
- name: BOOKBAG_KAFKA_COPIES
  value: {{ $values.kafka.copies | quote }}
{{- with $values.kafka.prefix }}
- name: BOOKBAG_KAFKA_PREFIX
  value: {{ . | quote }}
{{- end }}
{{- with $values.kafka.ca }}
- name: BOOKBAG_KAFKA_CA
  value: /etc/bookbag/trust/{{ . }}
{{- end }}
{{- if hasPrefix "SASL" $values.kafka.security }}
- name: BOOKBAG_KAFKA_SASL
  value: {{ $values.kafka.sasl }}
{{- include "bookbag.secret" (dict "name" "BOOKBAG_KAFKA_USER" "secret" $values.kafka.secret "key" $values.kafka.userKey "optional" $optional) }}
{{- include "bookbag.secret" (dict "name" "BOOKBAG_KAFKA_PASSWORD" "secret" $values.kafka.secret "key" $values.kafka.passwordKey "optional" $optional) }}
{{- end }}
{{- end }}
{{- if has "objects" .servers }}
- name: BOOKBAG_OBJECT_STORE
  value: {{ $values.objectStore.url | quote }}
{{- if $values.objectStore.secret }}
{{- include "bookbag.secret" (dict "name" "BOOKBAG_OBJECT_STORE_ACCESS_KEY" "secret" $values.objectStore.secret "key" $values.objectStore.accessKey "optional" $optional) }}
{{- include "bookbag.secret" (dict "name" "BOOKBAG_OBJECT_STORE_SECRET_KEY" "secret" $values.objectStore.secret "key" $values.objectStore.secretKey "optional" $optional) }}
{{- end }}
{{- end }}
{{- if has "mail" .servers }}
{{- include "bookbag.secret" (dict "name" "BOOKBAG_SMTP_URL" "secret" $values.mail.secret "key" $values.mail.key "optional" $optional) }}
{{- with $values.mail.from }}
- name: BOOKBAG_MAIL_FROM
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* What concerns one service: some roles of its database, and its settings. Takes (dict "root" $ "service" NAME "roles" LIST "optional" BOOL). */}}
{{- define "bookbag.told.service" -}}
{{- $values := .root.Values -}}
{{- $prefix := printf "BOOKBAG_%s" (upper .service) -}}
{{- $own := index $values.services .service -}}
{{- $optional := .optional -}}
{{- range .roles }}
{{- include "bookbag.secret" (dict "name" (printf "%s_%s_URL" $prefix (upper .)) "secret" $own.database.secret "key" (index $values.postgresql.keys .) "optional" $optional) }}
{{- end }}
{{- range $name, $value := $own.settings }}
- name: {{ $prefix }}_{{ upper $name }}
  value: {{ include "bookbag.word" $value | quote }}
{{- end }}
{{- range $name, $from := $own.secretSettings }}
{{- include "bookbag.secret" (dict "name" (printf "%s_%s" $prefix (upper $name)) "secret" $from.secret "key" $from.key "optional" $optional) }}
{{- end }}
{{- end }}

{{/* What the pods that run once for all services are told. Takes (dict "root" $ "roles" LIST "servers" LIST). */}}
{{- define "bookbag.told.operators" -}}
{{- $root := .root -}}
{{- $roles := .roles -}}
{{- include "bookbag.told.all" (dict "root" $root) }}
{{- include "bookbag.told.services" (dict "root" $root "servers" .servers "optional" true) }}
{{- range (.root.Files.Get "files/processes.yaml" | fromYaml).services }}
{{- include "bookbag.told.service" (dict "root" $root "service" . "roles" $roles "optional" true) }}
{{- end }}
{{- end }}

{{/* Keys of the place where backups are, when it has its own. */}}
{{- define "bookbag.told.depot" -}}
{{- with .Values.backup.secret }}
{{- include "bookbag.secret" (dict "name" "BOOKBAG_BACKUP_ACCESS_KEY" "secret" . "key" $.Values.backup.accessKey "optional" true) }}
{{- include "bookbag.secret" (dict "name" "BOOKBAG_BACKUP_SECRET_KEY" "secret" . "key" $.Values.backup.secretKey "optional" true) }}
{{- end }}
{{- end }}
