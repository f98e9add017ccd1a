import { serve } from "../shared/server";
import { configureDocker } from "./client";
import { container } from "./container";
import { remoteImage } from "./image";
import { network } from "./network";
import { secret } from "./secret";
import { service } from "./service";
import { serviceConfig } from "./service-config";
import { volume } from "./volume";

void serve(
  {
    name: "docker",
    version: "5.2.0",
    config: ["host", "sshOpts"],
    configure: configureDocker,
    resources: {
      "docker:index/container:Container": container,
      "docker:index/network:Network": network,
      "docker:index/volume:Volume": volume,
      "docker:index/secret:Secret": secret,
      "docker:index/serviceConfig:ServiceConfig": serviceConfig,
      "docker:index/service:Service": service,
      "docker:index/remoteImage:RemoteImage": remoteImage,
    },
  },
  process.argv.slice(2),
);
