/** The pages of the site beside the reference, in the order in which they are shown. Names of files in `docs`, without an ending. */
export const contents: Readonly<Record<string, readonly string[]>> = {
  Hosts: ["hosts", "hetzner", "aws", "hybrid"],
  Networks: ["overlays", "firewall", "encryption"],
  Services: ["services"],
  "In a program": ["options", "composing", "languages", "picture"],
  "Before it is done": ["review", "ci", "policy", "costs"],
  "Good to know": ["limits", "coming-from", "glossary"],
};

/** Why things are as they are. */
export const decisions = "Decisions";

export const releases = "Releases";

/** Written from the docstrings. */
export const reference = "Reference";
