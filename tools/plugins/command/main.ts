import { serve } from "../shared/server";
import { copyToRemote } from "./copy";
import { localCommand } from "./local";
import { remoteCommand } from "./remote";

void serve(
  {
    name: "command",
    version: "1.2.1",
    config: [],
    // "command:local:Command" is local.Command in the plugin's own words.
    unknownProperty: (type, name) => `Unrecognized field '${name}' on '${type.split(":").slice(1).join(".")}Inputs'`,
    resources: {
      "command:local:Command": localCommand,
      "command:remote:Command": remoteCommand,
      "command:remote:CopyToRemote": copyToRemote,
    },
  },
  process.argv.slice(2),
);
