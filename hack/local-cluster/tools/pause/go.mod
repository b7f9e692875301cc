module slipway.dev/hack/local-cluster/tools/pause

go 1.26.0
