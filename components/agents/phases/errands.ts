import { lookAtMaintenance } from "../../maintenance";
import { dueMaintenance, type RebootReason } from "../../maintenance/due";
import type { Errand } from "../../walk";
import type { SwarmRequest } from "../request";
import { changeSettings, type Ready, replaceEngineOf } from "./engines";
import { engineAfter, installPackages } from "./maintenance";

/** A host that is to be taken out of service. */
export interface Turn {
  readonly host: Ready;
  /** How many of its packages are to be upgraded. */
  readonly packages: number;
}

/** What the errands of one host work with. */
export interface ErrandWork {
  readonly request: Pick<SwarmRequest, "engine" | "maintenance">;
  /** Called with what is so from now on. */
  readonly learn: (news: Partial<Ready>) => void;
  /** @param text Counts as done then. */
  readonly reboot: (text: string | undefined) => Promise<void>;
}

/** A host whose packages are all upgraded: the text counts as done. */
export function withoutPackages(host: Ready): Ready {
  const { due, done } = host.maintenance ?? { due: {}, done: {} };
  const { packages, reboot } = due;
  if (packages === undefined) return host;
  const left = reboot?.kind === "after packages" ? undefined : reboot;
  return { ...host, maintenance: { due: { ...(left && { reboot: left }) }, done: { ...done, packages } } };
}

/** In the order in which they are done, the reboot last: what was installed before runs after it. */
export function errandsOf({ host, packages }: Turn, work: ErrandWork): readonly Errand[] {
  const { upgrade, settings, maintenance } = host;
  const { request, learn } = work;
  const { due = {}, done = {} } = maintenance ?? {};
  const { packages: text, reboot } = due;
  let so = done;
  const did = (news: typeof done, engine?: string): void => {
    so = { ...so, ...news };
    learn({ maintenance: { due: {}, done: so }, ...(engine !== undefined && { engine }) });
  };
  return [
    ...(upgrade === undefined
      ? []
      : [{ what: `Docker ${upgrade.from} to ${upgrade.to}`, run: async () => learn({ engine: await replaceEngineOf(host, request.engine) }) }]),
    // After the engine that knows them.
    ...(settings === undefined ? [] : [{ what: "Docker's settings", run: () => changeSettings(host, settings) }]),
    ...(text === undefined
      ? []
      : [
          {
            what: `upgrades of ${packages === 1 ? "1 package" : `${packages} packages`}`,
            run: async () => {
              await installPackages(host, text);
              const engine = await engineAfter(host, request.engine);
              did({ packages: text }, engine);
            },
          },
        ]),
    ...(reboot === undefined ? [] : [{ what: rebootInWords(reboot), run: () => rebootFor(reboot, host, work, did) }]),
  ];
}

function rebootInWords(reason: RebootReason): string {
  switch (reason.kind) {
    case "asked":
      return "a reboot";
    case "required":
      return `a reboot for ${reason.why}`;
    case "after packages":
      return "a reboot if they need one";
    default:
      return reason satisfies never;
  }
}

async function rebootFor(
  reason: RebootReason,
  { session }: Ready,
  { request: { maintenance = {} }, reboot }: ErrandWork,
  did: (done: { readonly reboot: string }) => void,
): Promise<void> {
  if (reason.kind === "after packages" && !dueMaintenance(await lookAtMaintenance(session), maintenance).reboot) return;
  const text = reason.kind === "asked" ? reason.text : undefined;
  await reboot(text);
  if (text !== undefined) did({ reboot: text });
}
