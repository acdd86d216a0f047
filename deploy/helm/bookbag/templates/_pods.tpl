{{/* What all pods have alike. */}}

{{/* The security of a pod: nobody's user, no token, nothing shared. */}}
{{- define "bookbag.pod.security" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "bookbag.container.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Where pods run and how they are named. Takes (dict "root" $ "account" NAME). */}}
{{- define "bookbag.pod.place" -}}
serviceAccountName: {{ .account }}
automountServiceAccountToken: false
# Variables named after Services would be read as settings of ours.
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.pods.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.pods.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.pods.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
# Our names are complete: they are asked for as they are, and not with each search domain first.
dnsConfig:
  options:
    - name: ndots
      value: "2"
securityContext:
  {{- include "bookbag.pod.security" . | nindent 2 }}
{{- end -}}

{{/* Without the chart's version: a chart that renders the same pods must not start them anew. */}}
{{- define "bookbag.pod.labels" -}}
{{ include "bookbag.selector" . }}
app.kubernetes.io/part-of: bookbag
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- with .root.Values.pods.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "bookbag.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .keys }}
- name: keys
  mountPath: /etc/bookbag/keys
  readOnly: true
{{- end }}
{{- if .root.Values.trust.configMap }}
- name: trust
  mountPath: /etc/bookbag/trust
  readOnly: true
{{- end }}
{{- end -}}

{{/* Volumes. Takes (dict "root" $ "keys" LIST "optional" BOOL "space" SIZE): of all keys a pod gets the public ones and those named. */}}
{{- define "bookbag.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ default "128Mi" .space }}
{{- if .keys }}
- name: keys
  secret:
    secretName: {{ .root.Values.keys.secret }}
    defaultMode: 0440
    {{- if .optional }}
    optional: true
    {{- end }}
    items:
      {{- range list "user_keys.json" "service_keys.json" "audit_keys.json" }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
      {{- range .keys }}
      - {key: {{ . }}, path: private/{{ . }}}
      {{- end }}
{{- end }}
{{- with .root.Values.trust.configMap }}
- name: trust
  configMap:
    name: {{ . }}
{{- end }}
{{- end -}}

{{/* All private keys, for the pod that examines the installation. */}}
{{- define "bookbag.keys" -}}
{{- $keys := list -}}
{{- range (.Files.Get "files/processes.yaml" | fromYaml).processes -}}
{{- $keys = concat $keys .keys -}}
{{- end -}}
{{- toJson ($keys | uniq) -}}
{{- end -}}
