import { overlaySuite } from "./overlay-suite";
import { native } from "./overlay-suite/native";

overlaySuite(native, { name: "ovnative", subnets: ["10.221.10.0/24"] });
