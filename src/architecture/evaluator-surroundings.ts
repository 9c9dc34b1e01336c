/** Globals that give the same everywhere and always: the language, and a few that only compute. */
const OFFERED = new Set([
  'Object',
  'Function',
  'Array',
  'Number',
  'parseFloat',
  'parseInt',
  'Infinity',
  'NaN',
  'undefined',
  'Boolean',
  'String',
  'Symbol',
  'Promise',
  'RegExp',
  'Error',
  'AggregateError',
  'EvalError',
  'RangeError',
  'ReferenceError',
  'SyntaxError',
  'TypeError',
  'URIError',
  'SuppressedError',
  'globalThis',
  'JSON',
  'Math',
  'ArrayBuffer',
  'Uint8Array',
  'Int8Array',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'Uint8ClampedArray',
  'BigUint64Array',
  'BigInt64Array',
  'DataView',
  'Map',
  'BigInt',
  'Set',
  'Iterator',
  'WeakMap',
  'WeakSet',
  'Proxy',
  'Reflect',
  'Date',
  'decodeURI',
  'decodeURIComponent',
  'encodeURI',
  'encodeURIComponent',
  'escape',
  'unescape',
  'isFinite',
  'isNaN',
  'DisposableStack',
  'AsyncDisposableStack',
  'console',
  'structuredClone',
  'queueMicrotask',
  'URL',
  'URLSearchParams',
  'TextEncoder',
  'TextDecoder',
  'atob',
  'btoa',
]);

/**
 * Takes away the clock, chance, the environment, timers and the network: everything global that is not on the list above.
 * Each use throws what `refusal` makes of its name.
 */
export function removeSurroundings(refusal: (what: string) => Error): void {
  const refuse = (what: string) => (): never => {
    throw refusal(what);
  };
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (OFFERED.has(name)) continue;
    // Deleted first: defining over Node's lazy ones would load what is behind them (undici for `fetch`), which uses the others.
    Reflect.deleteProperty(globalThis, name);
    Object.defineProperty(globalThis, name, { value: absent(refuse(name)) });
  }
  Math.random = refuse('Math.random');
  withoutClock(refuse);
  withoutLanguage(refuse);
}

// Not a getter that throws: of a call such as `fetch()` the stack would then name line 1 instead of the call.
function absent(refuse: () => never): object {
  return new Proxy(function absent() {}, { apply: refuse, construct: refuse, get: refuse, set: refuse, has: refuse, ownKeys: refuse });
}

// A date that is written down is a value like any other; the present one is not.
function withoutClock(refuse: (what: string) => () => never): void {
  const RealDate = Date;
  RealDate.now = refuse('Date.now');
  const dated = new Proxy(RealDate, {
    apply: refuse('the current date'),
    construct: (target, values, as) => (values.length === 0 ? refuse('the current date')() : Reflect.construct(target, values, as)),
  });
  RealDate.prototype.constructor = dated;
  globalThis.Date = dated;
}

// How they order and print depends on the language data of the machine's Node.
function withoutLanguage(refuse: (what: string) => () => never): void {
  const take = (from: object, names: readonly string[]): void => {
    for (const name of names) Object.defineProperty(from, name, { value: refuse(name) });
  };
  for (const type of [Number, Array, BigInt]) take(type.prototype, ['toLocaleString']);
  take(String.prototype, ['localeCompare', 'toLocaleUpperCase', 'toLocaleLowerCase']);
  take(Date.prototype, ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString']);
}
