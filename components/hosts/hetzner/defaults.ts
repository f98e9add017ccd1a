/** What is taken where the user says nothing. */
export const defaults = {
  location: "fsn1",
  network: "10.72.0.0/16",
  serverType: "cx23",
  image: "debian-13",
  mtu: 1450,
} as const;
