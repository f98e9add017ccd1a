/** So long others keep the routes to a host whose BIRD does not answer: it may be starting again. */
const restartSeconds = 15;

/** What each BGP session of a host is set to, with another host and with a router outside. Lines within its block. */
export function sessionOptions(bfd: boolean): readonly string[] {
  return [
    "  direct;",
    "  strict bind on;",
    "  hold time 30;",
    "  connect delay time 1;",
    "  connect retry time 5;",
    "  error wait time 1, 10;",
    "  graceful restart on;",
    `  graceful restart time ${restartSeconds};`,
    ...(bfd ? ["  bfd graceful;"] : []),
  ];
}
