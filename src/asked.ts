/**
 * What a controller was started for. `up` obeys the quarantine, `anyway` does not; `rollback` puts what it leaves into it.
 * One that was started by hand says nothing and is never refused: it may be the recovery from a disaster.
 */
export type Asked = 'up' | 'anyway' | 'rollback';

const all: readonly string[] = ['up', 'anyway', 'rollback'] satisfies Asked[];

/** A word that was written down, read again; undefined for any other. */
export const askedOf = (word: string | null | undefined): Asked | undefined => all.find((each) => each === word) as Asked | undefined;
