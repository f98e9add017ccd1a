import { etcdForLong } from "./flannel-etcd";
import { overlaysInTurn } from "./overlay-suite/in-turn";

overlaysInTurn({ name: "farsites", subnets: ["10.223.41.0/24", "10.223.42.0/24"] }, { flannel: etcdForLong });
