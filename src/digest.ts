import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from './canonical-json.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Lower-case hex SHA-256, 64 characters. */
export type Digest = Branded<'Digest'>;
export type ReleaseId = Branded<'ReleaseId'>;
export type GenerationId = Branded<'GenerationId'>;
/** Identity of an app's instances, without its data path. */
export type BodyId = Branded<'BodyId'>;
export type ComponentKey = Branded<'ComponentKey'>;
/** An engine's content address of an image: `sha256:` and 64 hex characters. */
export type ImageId = Branded<'ImageId'>;
/** A full git object name (40 or 64 hex characters). */
export type CommitId = Branded<'CommitId'>;
/** One run of a job: lower-case letters, digits, dots and hyphens, at most 64, given by whoever asked for it. */
export type RunId = Branded<'RunId'>;

/** Digest of a value's canonical JSON. */
export const digestOf = (value: Json): Digest => digestOfBytes(canonicalJson(value));

export const digestOfBytes = (bytes: string | Uint8Array): Digest => createHash('sha256').update(bytes).digest('hex') as Digest;

/** What people read and type: the first characters of an id. */
export const short = (id: string): string => id.replace(/^sha256:/, '').slice(0, 12);
