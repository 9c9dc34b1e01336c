import type { ChangelessEvent, RecordedEvent } from '../../events.ts';

/** A view of the event stream. `end` leaves the screen tidy and may be called twice. */
export type Reporter = { report: (event: ChangelessEvent | RecordedEvent) => void; end: () => void };
