import { serve } from "../shared/server";
import { copyToRemote } from "./copy";
import { localCommand } from "./local";
import { remoteCommand } from "./remote";

void serve(
  {
    name: "command",
    version: "1.2.1",
    config: [],
    resources: {
      "command:local:Command": localCommand,
      "command:remote:Command": remoteCommand,
      "command:remote:CopyToRemote": copyToRemote,
    },
  },
  process.argv.slice(2),
);
