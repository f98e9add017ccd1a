module swarm-in-go

go 1.25

require (
	github.com/pulumi-swarm/pulumi-swarm/sdk/go v0.1.0
	github.com/pulumi/pulumi/sdk/v3 v3.230.0
)

// Written from the schema: pulumi package gen-sdk node_modules/pulumi-swarm/plugin/schema.json --language go --out sdks
replace github.com/pulumi-swarm/pulumi-swarm/sdk/go => ./sdks/go
