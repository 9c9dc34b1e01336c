/** More than anybody has; each has a port of its own. */
export const mostStages = 100;

const firstPorts = { blue: 10_200, green: 10_300 } as const;

/**
 * The port of its app's data path to which a stage sends on what it lets pass. Each colour has its own, so that what is under way in a
 * generation stays in it while two generations' proxies share a place.
 */
export const wayBackPort = (colour: 'blue' | 'green', index: number): number => firstPorts[colour] + index;

/** What a stage is told. The dot at the end keeps its resolver from looking for the name in the colour first. */
export const wayBackUrl = (port: number): string => `http://path.:${port}`;

/** The environment variable in which it is told so. */
export const wayBackVariable = 'CHANGELESS_NEXT';
