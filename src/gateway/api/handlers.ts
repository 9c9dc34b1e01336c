import type { z } from 'zod';
import type { endpoints, Endpoint, EndpointName } from '../../api/endpoints.ts';
import type { CommandRecord } from '../../ledger/commands.ts';
import type { Reading } from '../../ledger/database.ts';
import type { TokenRecord } from '../../ledger/tokens.ts';
import type { KeptLogs } from '../../jobs/kept-log.ts';
import type { Delivery } from '../../ledger/delivery.ts';
import type { Result } from '../../result.ts';
import type { Found } from './event-stream.ts';

/** A request whose parts are what its endpoint wants them to be. `key`: of one that is to be done once. */
export type Asked<Of extends Endpoint = Endpoint> = {
  parameters: z.infer<Of['parameters']>;
  query: z.infer<Of['query']>;
  body: Of['body'] extends z.ZodObject ? z.infer<Of['body']> : undefined;
  token: TokenRecord;
  key?: string;
  lastEventId?: string;
};

/** What answers are made of. */
export type Answering = {
  /** Undefined when the ledger cannot be read just now. */
  read: <T>(look: (database: Reading) => T) => T | undefined;
  logs: KeptLogs;
  /** Resolves when it is on disk. */
  append: (delivery: Delivery) => Promise<Result<void>>;
  /** Commands that may not be in the ledger yet. */
  recent: { note(record: CommandRecord): void; find(id: string): CommandRecord | undefined };
  clock: () => Date;
  random: (characters: number) => string;
};

/** Looks for what a stream is to be sent next. */
export type Looking = () => Promise<Found>;

type Plain<Of extends Endpoint> = (answering: Answering, asked: Asked<Of>) => Promise<Result<z.input<Of['answer']>>>;
type Stream<Of extends Endpoint> = (answering: Answering, asked: Asked<Of>) => Promise<Result<Looking>>;

type StreamName = 'logs' | 'eventStream';

/** One for each endpoint that answers at once. */
export type Handlers = { [Name in Exclude<EndpointName, StreamName>]: Plain<(typeof endpoints)[Name]> };

/** One for each endpoint that streams. */
export type StreamHandlers = { [Name in StreamName]: Stream<(typeof endpoints)[Name]> };
