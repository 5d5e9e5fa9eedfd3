module github.com/ambitmq/ambit/test/bench

go 1.26.0

require (
	github.com/ambitmq/ambit v0.0.0
	github.com/tidwall/rtree v1.10.0
)

require (
	github.com/go-json-experiment/json v0.0.0-20260820222146-c27c302e5fc3 // indirect
	github.com/golang/geo v0.0.0-20260818125358-b200a1149890 // indirect
	github.com/tidwall/geoindex v1.7.0 // indirect
)

replace github.com/ambitmq/ambit => ../..
