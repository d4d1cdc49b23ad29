import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RoundLog, type RoundEntry } from './roundLog.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'rounds-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

const entry: RoundEntry = { round: 3, outcome: 'agreed', messageHash: '0xaa', matches: 2, at: '2026-01-01T00:00:00Z' };

test('adds a line a round, in a folder that need not exist', () => {
  const file = path.join(folder, 'data', 'rounds.jsonl');
  new RoundLog({ file }).append(entry);
  new RoundLog({ file }).append({ ...entry, round: 4, outcome: 'lapsed' });
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([entry, { ...entry, round: 4, outcome: 'lapsed' }]);
});

test('begins a new file when the old one is full, and keeps one before it', () => {
  const file = path.join(folder, 'rounds.jsonl');
  const log = new RoundLog({ file });
  log.append(entry);
  truncateSync(file, 32 * 1024 * 1024);
  log.append({ ...entry, round: 4 });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ ...entry, round: 4 });
  expect(statSync(`${file}.1`).size).toBe(32 * 1024 * 1024);
});
