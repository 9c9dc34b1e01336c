import { app, architecture, service, store } from 'changeless';

export default architecture({
  name: 'guestbook',
  apps: {
    guestbook: app({
      services: {
        web: service({
          build: { folder: 'web', tests: { command: ['node', '--test', '--test-isolation=none'] } },
          port: 8080,
          replicas: 2,
          health: { path: '/healthz' },
          stores: ['entries'],
          settings: { ENTRIES_URL: 'postgres://postgres@entries:5432/postgres' },
        }),
      },
    }),
  },
  stores: {
    entries: store({
      build: { folder: 'entries', tests: { target: 'test' } },
      port: 5432,
      data: '/data',
      // The major version. Another one is another folder of data: it wants a step that makes it of this one.
      format: '15',
      health: { protocol: 'postgres', timeoutMs: 300_000 },
      limits: { memory: '512m' },
      stopMs: 60_000,
    }),
  },
});
