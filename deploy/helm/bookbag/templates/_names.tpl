{{/* Names and labels. */}}

{{- define "bookbag.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* The release's name where that says already what it is. Short, so that the longest of our endings fits within 63 characters. */}}
{{- define "bookbag.fullname" -}}
{{- $name := include "bookbag.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "bookbag.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default .Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* What finds all pods of this release. */}}
{{- define "bookbag.release" -}}
app.kubernetes.io/name: {{ include "bookbag.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of everything. Takes (dict "root" $ "component" NAME). */}}
{{- define "bookbag.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{ include "bookbag.release" .root }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: bookbag
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{/* What finds the pods of one process. Takes (dict "root" $ "component" NAME). */}}
{{- define "bookbag.selector" -}}
{{ include "bookbag.release" .root }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* The gRPC name of a service, which stands for all its instances. Takes (dict "root" $ "service" NAME). */}}
{{- define "bookbag.grpc" -}}
{{ include "bookbag.fullname" .root }}-{{ .service }}-grpc
{{- end -}}

{{/* The host people type: publicUrl without scheme and port. */}}
{{- define "bookbag.host" -}}
{{- regexReplaceAll ":[0-9]+$" (urlParse .Values.publicUrl).host "" -}}
{{- end -}}

{{- define "bookbag.hostnames" -}}
{{- toJson (default (list (include "bookbag.host" .)) .Values.gateway.hostnames) -}}
{{- end -}}

{{/* What a process is sized with: what is said of its kind, and over it what is said of itself. Takes (dict "root" $ "process" P). */}}
{{- define "bookbag.sized" -}}
{{- $kind := deepCopy (index .root.Values .process.kind) -}}
{{- $own := dict -}}
{{- if ne .process.kind "web" -}}
{{- $own = index .root.Values.services .process.service .process.kind -}}
{{- end -}}
{{- toJson (mergeOverwrite $kind (deepCopy $own)) -}}
{{- end -}}

{{/* Whether an autoscaler owns the number of pods: "yes" or nothing. Takes (dict "process" P "sized" S). A worker that hears no events
has nothing that it could be scaled by. */}}
{{- define "bookbag.autoscaled" -}}
{{- if .sized.autoscaling.enabled -}}
{{- if ne .process.kind "worker" -}}yes{{- else if .process.hears -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whole numbers as strings compare: YAML's are floats. */}}
{{- define "bookbag.ints" -}}
{{- $made := list -}}
{{- range . }}{{ $made = append $made (toString (int .)) }}{{ end -}}
{{- toJson $made -}}
{{- end -}}
