import { page } from './page.mjs';

console.log(page('world'));
