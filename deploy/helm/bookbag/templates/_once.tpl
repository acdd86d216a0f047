{{/* A pod that runs once for all services. Takes (dict "root" $ "component" NAME "args" LIST "roles" LIST "servers" LIST "keys" LIST
"resources" DICT "space" SIZE "also" ENVIRONMENT). Its settings are optional references: what is missing the program says in words. */}}
{{- define "bookbag.once" -}}
{{- include "bookbag.pod.place" (dict "root" .root "account" (printf "%s-%s" (include "bookbag.fullname" .root) .component)) }}
restartPolicy: Never
containers:
  - name: {{ .component }}
    image: {{ include "bookbag.image" .root }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args: {{ toJson .args }}
    env:
      {{- include "bookbag.told.operators" (dict "root" .root "roles" .roles "servers" .servers) | trim | nindent 6 }}
      {{- with .also }}
      {{- trim . | nindent 6 }}
      {{- end }}
    # What it says last is what stands in the pod's status.
    terminationMessagePolicy: FallbackToLogsOnError
    resources:
      {{- toYaml .resources | nindent 6 }}
    securityContext:
      {{- include "bookbag.container.security" . | nindent 6 }}
    volumeMounts:
      {{- include "bookbag.mounts" . | nindent 6 }}
volumes:
  {{- include "bookbag.volumes" (dict "root" .root "keys" .keys "optional" true "space" .space) | nindent 2 }}
{{- end -}}

{{/* Annotations of what exists for a hook only. Takes (dict "on" HOOKS "weight" NUMBER). */}}
{{- define "bookbag.hook" -}}
helm.sh/hook: {{ .on }}
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}

{{- define "bookbag.account.once" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "bookbag.fullname" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "bookbag.labels" . | nindent 4 }}
  {{- with (merge (dict) (default dict .annotations) .root.Values.serviceAccounts.annotations) }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
automountServiceAccountToken: false
{{- end -}}
