/** A size in bytes, or with a unit of 1024: `'512k'`, `'256m'`, `'2g'`. */
export type Size = number | `${number}${'k' | 'm' | 'g'}`;
