{{/* Name of the operator's objects: the release's, with "slipway" in it once. */}}
{{- define "slipway.name" -}}
{{- if contains "slipway" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-slipway{{ end }}-operator
{{- end }}

{{- define "slipway.selector" -}}
app.kubernetes.io/name: slipway-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "slipway.labels" -}}
{{ include "slipway.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: slipway
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* An image, tagged with the version of the chart unless it says another. */}}
{{- define "slipway.image" -}}
{{ .image.repository }}:{{ .image.tag | default .chart.AppVersion }}
{{- end }}

{{/* namespace/name of the default Gateway, or nothing. */}}
{{- define "slipway.defaultGateway" -}}
{{- with .Values.defaultGateway }}
{{- if and .namespace .name }}{{ .namespace }}/{{ .name }}
{{- else if or .namespace .name }}
{{- fail "defaultGateway needs both namespace and name, such as {namespace: envoy-gateway-system, name: public}; leave both empty for none" }}
{{- end }}
{{- end }}
{{- end }}

{{/* Binds a role to the operator's service account. */}}
{{- define "slipway.subjects" -}}
- kind: ServiceAccount
  name: {{ include "slipway.name" . }}
  namespace: {{ .Release.Namespace }}
{{- end }}
