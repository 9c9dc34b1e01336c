const PLAIN = /^[A-Za-z0-9_./:=@-]+$/;

/**
 * Any text as one word of a configuration: whatever means something to HAProxy is written as the bytes it is, so no text can end its
 * word or its line, begin a comment or stand for a variable. Throws on NUL, which no word can hold.
 */
export function quote(text: string): string {
  if (text.includes('\0')) throw new Error('datapath: a text with NUL');
  if (text === '') return "''";
  return [...Buffer.from(text, 'utf8')].map(quoteByte).join('');
}

/** The same where HAProxy expects a format: `%` stands for itself there, too. */
export const quoteFormat = (text: string): string => quote(text.replaceAll('%', '%%'));

function quoteByte(byte: number): string {
  const character = String.fromCharCode(byte);
  return PLAIN.test(character) ? character : String.raw`\x${byte.toString(16).padStart(2, '0')}`;
}
