import { flushPkt, pktLine } from './pkt-line.ts';

/** What became of a ref: nothing more to say of one that was taken. `refused`: a few words, which git shows beside it. */
export type RefOutcome = { ref: string; refused?: string };

/** git's *report-status*. `unpacked`: why the objects were not taken, or undefined when they were. */
export function reportStatus(outcomes: readonly RefOutcome[], unpacked?: string): Buffer {
  const lines = outcomes.map(({ ref, refused }) => (refused === undefined ? `ok ${ref}\n` : `ng ${ref} ${oneLine(refused)}\n`));
  return Buffer.concat([pktLine(`unpack ${unpacked === undefined ? 'ok' : oneLine(unpacked)}\n`), ...lines.map(pktLine), flushPkt]);
}

/** Without what a terminal would take for an order to it. */
export const plainText = (text: string): string =>
  text
    .replaceAll(/\u001b(\[[0-9;?]*[ -/]*[@-~]|\][^\u0007\u001b]*(\u0007|\u001b\\)?|[@-_])/g, '')
    .replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '');

const oneLine = (text: string): string => plainText(text.replaceAll(/\s+/g, ' ')).slice(0, 200);
