import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { keccak256, type Address } from 'viem';
import { DeployProgress, DeployProgressError } from './deployProgress.js';

const DEPLOYER: Address = '0xABcdEFABcdEFabcdEfAbCdefabcdeFABcDEFabCD';
const CONTRACT: Address = '0x00000000000000000000000000000000000000c1';
const IDENTITY = { chainId: 1, deployer: DEPLOYER, firstBlock: 7 };
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'deploy-progress-'));
  file = path.join(folder, 'stake.json');
});

afterEach(() => rmSync(folder, { recursive: true }));

test('what was noted is there when it is opened again, with the first of the heights', () => {
  const progress = DeployProgress.open(file, IDENTITY);
  progress.noteContract('judge', CONTRACT, keccak256('0x01'));
  progress.noteAnnounced('metadata', 'https://one.example');
  const again = DeployProgress.open(file, { ...IDENTITY, firstBlock: 99 });
  expect(again.firstBlock).toBe(7);
  expect(again.contract('judge')).toEqual({ address: CONTRACT, initCodeHash: keccak256('0x01') });
  expect(again.contract('slasher')).toBeUndefined();
  expect(again.isAnnounced('metadata', 'https://one.example')).toBe(true);
  expect(again.isAnnounced('metadata', 'https://two.example')).toBe(false);
});

test('another chain, another key and other files are refused', () => {
  DeployProgress.open(file, IDENTITY).noteAnnounced('metadata', 'x');
  expect(() => DeployProgress.open(file, { ...IDENTITY, chainId: 2 })).toThrow(/begun on chain 1/);
  expect(() => DeployProgress.open(file, { ...IDENTITY, deployer: CONTRACT })).toThrow(/begun by 0xabcdef/);
  writeFileSync(file, '{"chainId": 1');
  expect(() => DeployProgress.open(file, IDENTITY)).toThrow(DeployProgressError);
  writeFileSync(file, '{"chainId": 1}');
  expect(() => DeployProgress.open(file, IDENTITY)).toThrow(DeployProgressError);
});

test('progress in memory leaves no file', () => {
  DeployProgress.inMemory(IDENTITY).noteAnnounced('metadata', 'x');
  expect(existsSync(file)).toBe(false);
});
