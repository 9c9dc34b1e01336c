import { app, architecture, service } from 'changeless';

export default architecture({
  name: 'hello',
  apps: {
    hello: app({
      services: {
        web: service({ build: 'hello', port: 8080, health: { path: '/healthz' }, settings: { GREETING: 'Hello' } }),
      },
    }),
  },
});
