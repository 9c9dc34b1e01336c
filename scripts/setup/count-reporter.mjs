// A reporter of Node's test runner that writes one line of JSON: how many tests passed, failed and were skipped.

/** Yields the counts of the whole run; nothing is yielded for a run that never came to its summary. */
export default async function* countReporter(source) {
  for await (const event of source) {
    if (event.type !== 'test:summary' || event.data.file !== undefined) continue;
    const { passed, failed, cancelled, skipped, todo } = event.data.counts;
    yield `${JSON.stringify({ passed, failed: failed + cancelled, skipped: skipped + todo })}\n`;
  }
}
