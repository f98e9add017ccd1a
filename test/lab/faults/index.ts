import { cycles } from "./cycles";
import { disk } from "./disk";
import { drift } from "./drift";
import { hosts } from "./hosts";
import { killed } from "./killed";
import { lock } from "./lock";
import { machines } from "./machines";
import { members } from "./members";
import { network } from "./network";
import { quorum } from "./quorum";
import { ssh } from "./ssh";
import { state } from "./state";
import type { FaultCase } from "./trial";

/** All cases, a family a file. */
export const cases: readonly FaultCase[] = [
  ...killed,
  ...lock,
  ...ssh,
  ...hosts,
  ...network,
  ...machines,
  ...members,
  ...quorum,
  ...cycles,
  ...state,
  ...disk,
  ...drift,
];
