import { overlaySuite } from "./overlay-suite";
import { native } from "./overlay-suite/native";
import { usual } from "./overlay-suite/releases";

overlaySuite(native, { name: "ovnative", subnets: ["10.221.10.0/24"], releases: usual });
