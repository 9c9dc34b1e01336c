import { spawn, type ChildProcess } from 'node:child_process';
import { appNames, hostOf, SERVER } from './apps-world.ts';
import { caddy, haproxy, haproxyProcess, nginx, nginxProcess, nginxServing, type Peer, PORTS, type Proxy, startProxy } from './peers.ts';

/** The same proxies as in `drops`, each with a site for every app, all of which it takes anew when one is changed. */
export const sharedProxies = (count: number): Peer[] => {
  const hosts = appNames(count).map(hostOf);
  return [shared(nginx, nginxSites(hosts)), shared(caddy, caddySites(hosts)), shared(haproxy, haproxySites(hosts))].map((proxy) => ({
    name: `${proxy.name}, ${count} sites`,
    most: Infinity,
    start: (ground) => startProxy(ground, proxy, startServer),
  }));
};

const shared = (proxy: Proxy, configuration: Proxy['configuration']): Proxy => ({ ...proxy, configuration });

/** One process stands for all servers: what they do is not measured. */
const startServer = (): ChildProcess =>
  spawn(process.execPath, ['-e', SERVER], { env: { ...process.env, PORT: String(PORTS.backend) }, stdio: 'ignore' });

const nginxSites =
  (hosts: readonly string[]): Proxy['configuration'] =>
  (folder, revision) =>
    `${nginxProcess(folder)}
http {
    ${nginxServing(folder)}
    server_names_hash_max_size 4096;
    map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
${hosts
  .map(
    (host, index) => `    upstream site${index} { server 127.0.0.1:${PORTS.backend}; keepalive 4; }
    server {
        listen 127.0.0.1:${PORTS.nginx};
        server_name ${host};
        location / {
            proxy_pass http://site${index};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            ${index === 0 ? `add_header x-revision ${revision};` : ''}
        }
    }`,
  )
  .join('\n')}
}
`;

const caddySites =
  (hosts: readonly string[]): Proxy['configuration'] =>
  (_, revision) =>
    `{
    admin 127.0.0.1:${PORTS.caddyAdmin}
}
${hosts
  .map(
    (host, index) => `http://${host}:${PORTS.caddy} {
    bind 127.0.0.1
    ${index === 0 ? `header x-revision ${revision}` : ''}
    reverse_proxy 127.0.0.1:${PORTS.backend}
}`,
  )
  .join('\n')}
`;

const haproxySites =
  (hosts: readonly string[]): Proxy['configuration'] =>
  (folder, revision) =>
    `${haproxyProcess(folder)}
    timeout tunnel 1h
frontend all
    bind 127.0.0.1:${PORTS.haproxy}
    use_backend %[req.hdr(host),field(1,:),lower]
${hosts
  .map(
    (host, index) => `backend ${host}
    ${index === 0 ? `http-response set-header x-revision ${revision}` : ''}
    server server 127.0.0.1:${PORTS.backend}`,
  )
  .join('\n')}
`;
