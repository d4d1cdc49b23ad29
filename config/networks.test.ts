import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parseNetwork, NetworkInvalidError, type Network } from '../chain/deploy/networkFile.js';
import {
  EigenlayerContractMissingError,
  EigenlayerFileError,
  parseEigenlayer,
  requireContracts,
  STAKE_CONTRACTS,
  TABLE_CONTRACTS,
} from '../chain/eigenlayer/eigenlayerFile.js';

const read = (name: string): unknown => JSON.parse(readFileSync(`config/networks/${name}.json`, 'utf8'));
const network = (name: string): Network => parseNetwork(read(name));
const names = readdirSync('config/networks').map((file) => file.replace(/\.json$/, ''));

test('each network file is named for its network, and no two are of one chain', () => {
  const networks = names.map(network);
  expect(networks.map(({ name }) => name)).toEqual(names);
  expect(new Set(networks.map(({ chainId }) => chainId)).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(['mainnet', 'sepolia', 'hoodi', 'base', 'baseSepolia', 'devnet']));
});

test('only networks whose EigenLayer delays protect somebody promise economic security', () => {
  expect(names.filter((name) => network(name).economicSecurity)).toEqual(['base', 'mainnet']);
});

test.each([
  ['mainnet', 'base'],
  ['sepolia', 'baseSepolia'],
])('tables of operator sets on %s arrive on %s at the same addresses', (stake, market) => {
  const source = { name: stake };
  requireContracts(network(stake).eigenlayer, STAKE_CONTRACTS, source);
  const tables = requireContracts(network(stake).eigenlayer, TABLE_CONTRACTS, source);
  expect(requireContracts(network(market).eigenlayer, TABLE_CONTRACTS, source)).toEqual(tables);
  expect(() => requireContracts(network(market).eigenlayer, STAKE_CONTRACTS, { name: market })).toThrow(
    EigenlayerContractMissingError,
  );
});

test('Hoodi lacks the multichain contracts, and its file says what to do', () => {
  const { name, eigenlayer, eigenlayerNote: note } = network('hoodi');
  expect(() => requireContracts(eigenlayer, STAKE_CONTRACTS, { name, note })).toThrow(
    /hoodi has no keyRegistrar, crossChainRegistry: .*use Sepolia, or deploy your own/,
  );
});

test('no address stands for two contracts of a network', () => {
  for (const name of names) {
    const { eigenlayer, strategies } = network(name);
    const all = [...Object.values(eigenlayer), ...Object.values(strategies)].filter((address) => address !== null);
    expect(new Set(all).size).toBe(all.length);
  }
});

describe('what is no network or no file of addresses', () => {
  const problemsOf = (act: () => unknown): unknown => {
    try {
      return act();
    } catch (error) {
      if (error instanceof NetworkInvalidError || error instanceof EigenlayerFileError) return error.metadata;
      throw error;
    }
  };

  test('is told with every field at once', () => {
    const bad = { ...(read('mainnet') as object), chainId: 0, arbSys: 'no', extra: 1 };
    const { problems } = problemsOf(() => parseNetwork(bad)) as { problems: string[] };
    expect(problems).toEqual([
      expect.stringMatching(/^chainId: /),
      expect.stringMatching(/^arbSys: /),
      expect.stringContaining('extra'),
    ]);
  });

  test('names of unknown contracts and halves of addresses are refused', () => {
    const { problems } = problemsOf(() => parseEigenlayer({ allocationManager: '0x12', allocatorManager: null })) as {
      problems: string[];
    };
    expect(problems).toEqual([
      'allocationManager: must be a 20-byte address in hex',
      expect.stringContaining('allocatorManager'),
    ]);
  });

  test('contracts that a file leaves out are absent', () => {
    const { allocationManager, keyRegistrar } = parseEigenlayer({
      allocationManager: '0x948a420b8CC1d6BFd0B6087C2E7c344a2CD0bc39',
    });
    expect(allocationManager).toBe('0x948a420b8cc1d6bfd0b6087c2e7c344a2cd0bc39');
    expect(keyRegistrar).toBeNull();
  });
});
