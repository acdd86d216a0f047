{{/* Who may speak to whom: the rules of the network, all from the table of processes. */}}

{{/* From a process to the servers and the services that it needs. Takes (dict "root" $ "servers" LIST "calls" LIST). */}}
{{- define "bookbag.egress" -}}
{{- $root := .root -}}
{{- $policy := .root.Values.networkPolicy -}}
{{- $servers := .servers -}}
{{- if .root.Values.settings.otlp_endpoint -}}
{{- $servers = append $servers "traces" -}}
{{- end -}}
{{- range $server := $servers -}}
{{- $place := index $policy.servers $server }}
# {{ $server }}
- ports:
    {{- range $place.ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with $place.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
{{- with .calls }}
# others
- ports:
    - {protocol: TCP, port: 8001}
  to:
    - podSelector:
        matchLabels:
          {{- include "bookbag.release" $root | nindent 10 }}
        matchExpressions:
          - {key: app.kubernetes.io/component, operator: In, values: [{{ range $index, $call := . }}{{ if $index }}, {{ end }}{{ $call }}-api{{ end }}]}
{{- end -}}
{{- end -}}

{{/* All callers of a service, the pod of `helm test` among them. Takes (dict "root" $ "service" NAME). */}}
{{- define "bookbag.callers" -}}
{{- $service := .service -}}
{{- $callers := list "test" -}}
{{- range (.root.Files.Get "files/processes.yaml" | fromYaml).processes -}}
{{- if has $service .calls -}}
{{- $callers = append $callers .name -}}
{{- end -}}
{{- end -}}
{{- toJson $callers -}}
{{- end -}}

{{/* The network policy of a pod that runs once and to which nobody speaks. Takes (dict "root" $ "component" NAME "servers" LIST "calls"
LIST "annotations" DICT). */}}
{{- define "bookbag.policy.once" -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "bookbag.fullname" .root }}-{{ .component }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "bookbag.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels:
      {{- include "bookbag.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  egress:
    - ports:
        - {protocol: UDP, port: 53}
        - {protocol: TCP, port: 53}
      {{- with .root.Values.networkPolicy.dns }}
      to:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    {{- include "bookbag.egress" . | trim | nindent 4 }}
{{- end -}}

{{/* Into a process. Takes (dict "root" $ "process" P "door" BOOL). Ports stand as numbers: not every network knows their names. */}}
{{- define "bookbag.ingress" -}}
{{- $root := .root -}}
{{- $process := .process -}}
{{- $policy := .root.Values.networkPolicy -}}
{{- if and .door $policy.gateway }}
# people
- ports:
    - {protocol: TCP, port: {{ $process.ports.http }}}
  from:
    {{- toYaml $policy.gateway | nindent 4 }}
{{- end }}
{{- with $process.ports.grpc }}
# other services
- ports:
    - {protocol: TCP, port: {{ . }}}
  from:
    - podSelector:
        matchLabels:
          {{- include "bookbag.release" $root | nindent 10 }}
        matchExpressions:
          - key: app.kubernetes.io/component
            operator: In
            values: {{ include "bookbag.callers" (dict "root" $root "service" $process.service) }}
{{- end }}
{{- with $policy.prometheus }}
# figures
- ports:
    - {protocol: TCP, port: {{ $process.ports.admin }}}
  from:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end -}}
