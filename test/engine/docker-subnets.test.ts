import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as holds, integer, property, record } from 'fast-check';
import { parseRoutes } from '../../src/engine/docker/host.ts';
import { freeSubnet, parseSubnet, prefixFor, subnetText, type Subnet } from '../../src/engine/docker/subnets.ts';

const subnet = (text: string): Subnet => {
  const parsed = parseSubnet(text);
  assert.ok(parsed, text);
  return parsed;
};

const free = (pool: string, hosts: number, ...taken: string[]): string | undefined => {
  const found = freeSubnet(subnet(pool), hosts, taken.map(subnet));
  return found && subnetText(found);
};

describe('a network of the architecture gets a subnet', () => {
  const sizes: [hosts: number, prefix: number][] = [
    [0, 26],
    [1, 26],
    [61, 26],
    [62, 25],
    [125, 25],
    [126, 24],
    [253, 24],
    [254, 23],
    [1000, 22],
  ];
  for (const [hosts, prefix] of sizes) {
    it(`of /${prefix} for ${hosts} members`, () => assert.equal(prefixFor(hosts), prefix));
  }

  const cases: [sentence: string, found: string | undefined, expected: string | undefined][] = [
    ['the first of an empty pool', free('10.208.0.0/14', 20), '10.208.0.0/26'],
    ['the next one', free('10.208.0.0/14', 20, '10.208.0.0/26'), '10.208.0.64/26'],
    ['a gap', free('10.208.0.0/14', 20, '10.208.0.0/26', '10.208.0.128/26'), '10.208.0.64/26'],
    ['aligned to its size', free('10.208.0.0/14', 200, '10.208.0.0/26'), '10.208.1.0/24'],
    ['behind a larger network that begins before the pool', free('10.208.0.0/14', 20, '10.192.0.0/11', '172.17.0.0/16'), undefined],
    ['behind a route inside the pool', free('10.208.0.0/14', 20, '10.208.0.0/16'), '10.209.0.0/26'],
    ['beside a single host route', free('10.208.0.0/14', 20, '10.208.0.7/32'), '10.208.0.64/26'],
    ['none in a full pool', free('10.208.0.0/25', 20, '10.208.0.0/26', '10.208.0.64/26'), undefined],
    ['the last of a pool', free('10.208.0.0/25', 20, '10.208.0.0/26'), '10.208.0.64/26'],
    ['none in a pool that is too small', free('10.208.0.0/27', 20), undefined],
    ['one at the very end of all addresses', free('255.255.255.0/24', 200), '255.255.255.0/24'],
  ];
  for (const [sentence, found, expected] of cases) it(sentence, () => assert.equal(found, expected));

  it('that overlaps nothing taken and lies in the pool, whatever is taken', () => {
    const pool = subnet('10.208.0.0/22');
    const anywhere = record({
      first: integer({ min: pool.first - 512, max: pool.first + 1536 }),
      prefix: integer({ min: 22, max: 32 }),
    });
    const end = ({ first, prefix }: Subnet): number => first + 2 ** (32 - prefix);
    holds(
      property(array(anywhere), integer({ min: 1, max: 300 }), (raw, hosts) => {
        const taken = raw.map((each) => subnet(subnetText(each)));
        const found = freeSubnet(pool, hosts, taken);
        if (found === undefined) return;
        assert.ok(found.first >= pool.first && end(found) <= end(pool));
        for (const each of taken) assert.ok(end(each) <= found.first || each.first >= end(found));
      }),
    );
  });

  it('and nothing that is not an IPv4 subnet is taken for one', () => {
    for (const text of ['', 'fd00::/64', '10.0.0.0', '10.0.0.256/8', '10.0.0.0/33']) assert.equal(parseSubnet(text), undefined);
    assert.equal(subnetText(subnet('10.1.2.3/16')), '10.1.0.0/16');
  });
});

describe("the host's routes", () => {
  it('are read from little-endian hex', () => {
    const table = [
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU',
      'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0',
      'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0',
      '',
    ];
    const routes = parseRoutes(table.join('\n')).map(({ device, subnet: route }) => `${device} ${subnetText(route)}`);
    assert.deepEqual(routes, ['eth0 0.0.0.0/0', 'docker0 172.17.0.0/16']);
  });
});
