import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { Output } from '../world.ts';
import { cut, LiveRegion } from './live-region.ts';

function screen(columns: number): { output: Output & { columns: number }; frames: string[] } {
  const frames: string[] = [];
  return { frames, output: { columns, isTerminal: true, write: (text) => void frames.push(text) } };
}

test('a frame is one write that goes back over what was drawn before', () => {
  const { output, frames } = screen(80);
  const region = new LiveRegion(output);
  region.draw([], ['one', 'two']);
  region.draw(['told'], ['three']);
  assert.equal(frames.length, 2);
  assert.ok(frames[1]?.includes('\u001b[2A'), 'two rows up');
  assert.match(stripVTControlCharacters(frames[1] ?? ''), /told\nthree\n/);
});

test('nothing is written when nothing changed', () => {
  const { output, frames } = screen(80);
  const region = new LiveRegion(output);
  region.draw([], ['one']);
  region.draw([], ['one']);
  assert.equal(frames.length, 1);
});

test('after the window got narrower, the rows the old lines now take are counted', () => {
  const { output, frames } = screen(80);
  const region = new LiveRegion(output);
  region.draw([], ['x'.repeat(60)]);
  output.columns = 25;
  region.draw([], ['short']);
  assert.ok(frames[1]?.includes('\u001b[3A'), '60 columns are 3 rows of 25');
});

test('a line is cut to its visible width, with its colours closed', () => {
  const line = `\u001b[33mbuilding\u001b[39m ${'x'.repeat(40)}`;
  const short = cut(line, 20);
  assert.equal(stripVTControlCharacters(short).length, 20);
  assert.ok(short.endsWith('…\u001b[0m'));
  assert.equal(cut('fits', 20), 'fits');
});
