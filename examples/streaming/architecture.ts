import { app, architecture, policy, service, store } from 'changeless';

export default architecture({
  name: 'streaming',
  core: { publish: [{ address: '127.0.0.1', port: 8080 }] },
  apps: {
    // What there is to watch, gathered from several providers.
    catalog: app({
      hosts: ['catalog.localhost'],
      // What its data path does: a change of it replaces the path alone.
      policy: policy({ headers: { response: { set: { 'x-content-type-options': 'nosniff' } } } }),
      services: {
        api: service({
          build: { folder: 'catalog/api', tests: { command: ['node', '--test', '--test-isolation=none'] } },
          port: 8080,
          entry: true,
          replicas: 2,
          health: { path: '/healthz' },
          settings: { PROVIDERS_URL: 'http://providers:8080' },
        }),
        providers: service({
          build: { folder: 'catalog/providers', tests: { command: ['node', '--test', '--test-isolation=none'] } },
          port: 8080,
          health: { path: '/healthz' },
        }),
      },
    }),
    // Who watches; counts its visits in the store.
    accounts: app({
      hosts: ['accounts.localhost'],
      services: {
        api: service({
          build: { folder: 'accounts/api', tests: { target: 'test' } },
          port: 8080,
          entry: true,
          replicas: 2,
          health: { path: '/healthz' },
          stores: ['sessions'],
          settings: { SESSIONS_URL: 'redis://sessions:6379' },
        }),
      },
    }),
  },
  stores: {
    sessions: store({ build: { folder: 'sessions', tests: { target: 'test' } }, port: 6379, data: '/data', health: { protocol: 'redis' } }),
  },
  environments: {
    production: {
      core: { publish: [{ address: '0.0.0.0', port: 80 }] },
      apps: {
        catalog: { hosts: ['catalog.example.com'], services: { api: { replicas: 3 } } },
        accounts: { hosts: ['accounts.example.com'], services: { api: { replicas: 3 } } },
      },
    },
  },
});
