// @ts-check
"use strict";
// Where Pulumi runs the folder itself (PulumiPlugin.yaml). It exports nothing: of an exported component, Pulumi would make a provider of its own.
void require("../dist/plugin/provider.js").serve();
