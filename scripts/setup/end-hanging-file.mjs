// Imported by the process of each file of tests: one that hangs is to be named, not to hold up everything. The limit that node:test has
// for a file does not end a process that something keeps alive after a failure outside of any test.
const limitMs = Number(process.env.CHANGELESS_TEST_FILE_LIMIT_MS ?? 900_000);

const tooLong = () => {
  const kept = process.getActiveResourcesInfo().join(', ');
  console.error(`${process.argv[1]} did not end within ${limitMs / 1000} s; what keeps it alive: ${kept || 'nothing'}`);
  process.exit(1);
};

// It must not keep alive what would end.
setTimeout(tooLong, limitMs).unref();
