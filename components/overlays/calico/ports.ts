export const bgpPort = 179;

/** BFD's control packets (RFC 5881, section 4). */
export const bfdPort = 3784;
