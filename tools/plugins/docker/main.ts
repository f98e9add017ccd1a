import { serve } from "../shared/server";
import { configureDocker } from "./client";
import { container } from "./container";
import { remoteImage } from "./image";
import { network } from "./network";
import { volume } from "./volume";

void serve(
  {
    name: "docker",
    version: "5.2.0",
    config: ["host"],
    configure: configureDocker,
    resources: {
      "docker:index/container:Container": container,
      "docker:index/network:Network": network,
      "docker:index/volume:Volume": volume,
      "docker:index/remoteImage:RemoteImage": remoteImage,
    },
  },
  process.argv.slice(2),
);
