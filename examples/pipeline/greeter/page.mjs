const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** A page that greets somebody by name. */
export const page = (name) => {
  const shown = name.replaceAll(/[&<>"]/g, (character) => escapes[character]);
  return `<!doctype html><html lang="en"><title>Greeter</title><h1>Hello, ${shown}</h1></html>`;
};
