/** Addresses as lines, app by app, aligned. */
export function addressLines(addresses: Readonly<Record<string, readonly string[]>>): string[] {
  const width = Math.max(0, ...Object.keys(addresses).map((name) => name.length));
  return Object.entries(addresses).map(([name, urls]) => `  ${name.padEnd(width)}  ${urls.join('  ') || 'no host name'}`);
}
