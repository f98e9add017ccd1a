import type { Absent, Contender } from "../contender";
import type { Machines } from "../machines";
import { ansible } from "./ansible";
import { terraform } from "./terraform";

/*
 * Tools that people use for the same. They are no dependencies: whichever is on PATH takes part. Both do less than `bench/existing` and
 * the script: they set no firewall, and leave Docker its own subnets, so that it need not restart.
 */
export const peers = async (machines: Machines): Promise<(Contender | Absent)[]> => [await ansible(machines), await terraform(machines)];
