import { overlaysInTurn } from "./overlay-suite/in-turn";

overlaysInTurn({ name: "inturn", subnets: ["10.218.0.0/24"] });
