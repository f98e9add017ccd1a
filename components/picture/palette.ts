import type { Change, Kind } from "./piece";

/** Fill and line. */
type BoxColours = readonly [fill: string, line: string];

export interface Colours {
  readonly paper: string;
  readonly text: string;
  readonly quiet: string;
  readonly line: string;
  /** By class; a later one wins over an earlier one, so that a change is seen whatever it happens to. */
  readonly boxes: Readonly<Record<"band" | "site" | Kind | Exclude<Change, "same">, BoxColours>>;
}

/** Those of docs/pictures/draw.js, and four more. Text on any of them has a contrast of 4.5 or better. */
export const palette: Readonly<Record<"light" | "dark", Colours>> = {
  light: {
    paper: "#ffffff",
    text: "#1f2328",
    quiet: "#59636e",
    line: "#0969da",
    boxes: {
      band: ["#f6f8fa", "#d1d9e0"],
      site: ["#ffffff", "#8c959f"],
      manager: ["#ddf4ff", "#0969da"],
      worker: ["#f6f8fa", "#8c959f"],
      opening: ["#ffffff", "#8c959f"],
      world: ["#fff1e5", "#bc4c00"],
      rule: ["#ffffff", "#d1d9e0"],
      network: ["#ffffff", "#0969da"],
      internal: ["#ffffff", "#0969da"],
      program: ["#ffffff", "#d1d9e0"],
      protected: ["#ffffff", "#8c959f"],
      bare: ["#f6f8fa", "#d1d9e0"],
      new: ["#dafbe1", "#1a7f37"],
      changed: ["#fff8c5", "#9a6700"],
      gone: ["#ffebe9", "#cf222e"],
    },
  },
  dark: {
    paper: "#0d1117",
    text: "#f0f6fc",
    quiet: "#9198a1",
    line: "#4493f8",
    boxes: {
      band: ["#151b23", "#3d444d"],
      site: ["#0d1117", "#656c76"],
      manager: ["#121d2f", "#4493f8"],
      worker: ["#212830", "#656c76"],
      opening: ["#212830", "#656c76"],
      world: ["#2e1a0d", "#db6d28"],
      rule: ["#212830", "#3d444d"],
      network: ["#212830", "#4493f8"],
      internal: ["#212830", "#4493f8"],
      program: ["#212830", "#3d444d"],
      protected: ["#212830", "#656c76"],
      bare: ["#151b23", "#3d444d"],
      new: ["#12261e", "#3fb950"],
      changed: ["#272115", "#d29922"],
      gone: ["#301b1e", "#f85149"],
    },
  },
};
