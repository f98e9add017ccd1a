/**
 * How long a certificate holds, and from how long before its end on it is made anew by a run that looks at it. An `up` without a change
 * looks at nothing, so every so many days the request is another one. Whoever runs `up` at least that often meets each certificate in
 * its last year.
 */
export const certificateLife = { days: 1095, renewedFrom: 365, revisited: 180 } as const;
