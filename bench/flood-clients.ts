// A process of its own, so that measuring does not wait for it: floods one host until its input ends, then says what it was told.
import { once } from 'node:events';
import { startClients } from '../test/engine/keep-alive-load.ts';

const [port = '', host = ''] = process.argv.slice(2);
const CLIENTS = 100;
const PAUSE_MS = 50;

const flood = startClients({ address: '127.0.0.1', port: Number(port), host }, { clients: CLIENTS, pauseMs: PAUSE_MS, method: 'GET' });
await once(process.stdin.resume(), 'end');
await flood.stop();
const { answered, failed } = flood.tally;
console.log(JSON.stringify({ answered, refused: failed.filter((each) => each.includes('429')).length, failed: failed.length }));
