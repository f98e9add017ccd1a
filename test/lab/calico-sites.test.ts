import { overlaySuite } from "./overlay-suite";
import { calico } from "./overlay-suite/calico";
import { everyEngine } from "./overlay-suite/releases";

overlaySuite(calico, { name: "calsite", subnets: ["10.223.41.0/24", "10.223.42.0/24"], releases: everyEngine });
