/** The pages of the site beside the reference, in the order in which they are shown. Names of files in `docs`, without an ending. */
export const contents: Readonly<Record<string, readonly string[]>> = {
  Begin: ["install", "services"],
  Hosts: ["hosts", "hetzner", "aws", "hybrid"],
  Networks: ["overlays", "firewall", "encryption"],
  "In a program": ["options", "composing", "languages", "picture"],
  "Day by day": ["running", "status"],
  "Before it is done": ["review", "ci", "policy", "costs"],
  "Good to know": ["limits", "audits", "performance", "coming-from", "glossary"],
};

/** Pages of Pulumi's registry, which say what other pages do. */
export const ofRegistry: readonly string[] = ["_index", "installation-configuration"];

/** Why things are as they are. */
export const decisions = "Decisions";

export const releases = "Releases";

/** Written from the docstrings. */
export const reference = "Reference";
