import assert from 'node:assert/strict';
import test from 'node:test';
import { page } from './page.mjs';

test('somebody is greeted by name', () => assert.match(page('Ada'), /<h1>Hello, Ada<\/h1>/));

test('a name is text, whatever is in it', () => assert.match(page('<script>'), /Hello, &lt;script&gt;</));
