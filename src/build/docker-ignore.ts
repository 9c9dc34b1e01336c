type Rule = { pattern: RegExp; includes: boolean };

/**
 * Says which paths of a context a `.dockerignore` leaves out. BuildKit applies that file in its client only, so whoever
 * packs the context has to. Docker's rules: `*`, `?`, `[…]` within a name, `**` across folders, `!` takes back in, the
 * last rule that matches a path or a folder above it decides.
 */
export function readDockerIgnore(text: string): (path: string) => boolean {
  const rules = text.split('\n').flatMap(readRule);
  return (path) => {
    let isLeftOut = false;
    for (const { pattern, includes } of rules) if (pattern.test(path)) isLeftOut = !includes;
    return isLeftOut;
  };
}

function readRule(line: string): Rule[] {
  const text = line.trim();
  if (text === '' || text.startsWith('#')) return [];
  const includes = text.startsWith('!');
  const path = (includes ? text.slice(1).trim() : text).replace(/^\/+|\/+$/g, '').replace(/^(\.\/)+/, '');
  if (path === '' || path === '.') return path === '.' && !includes ? [{ pattern: /^/, includes }] : [];
  return [{ pattern: new RegExp(`^${translate(path)}(?:/.*)?$`, 's'), includes }];
}

const tokens = /\*\*\/|\*\*|\*|\?|\[[^\]]*\]|\\.|[\s\S]/g;

const translate = (path: string): string => (path.match(tokens) ?? []).map(translateToken).join('');

function translateToken(token: string): string {
  if (token === '**/') return '(?:.*/)?';
  if (token === '**') return '.*';
  if (token === '*') return '[^/]*';
  if (token === '?') return '[^/]';
  if (token.length > 2 && token.startsWith('[')) return token.replace(/^\[\^/, '[^/').replaceAll('\\', '\\\\');
  const plain = token.length === 2 && token.startsWith('\\') ? token.slice(1) : token;
  return plain.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
