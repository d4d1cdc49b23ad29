import { writeFileSync } from 'node:fs';
import path from 'node:path';

import { buildProgram } from '../../cli/program.js';
import { describeError, exitCodeOf } from '../../cli/usage.js';
import { control, type MarketChain } from './marketChain.js';

/** How a command failed, as `cli/main.ts` tells it. */
export interface CommandFailure {
  readonly exitCode: number;
  readonly message: string;
}

/** Commands of the market as they are typed, by the fixture's accounts; keys come from the environment. */
export class MarketCommands {
  readonly #chain: MarketChain;
  readonly #deployment: readonly string[];
  readonly #rpc: readonly string[];
  readonly #variables = new Set<string>();

  /** Writes the deployment file into `folder`. */
  constructor(chain: MarketChain, folder: string) {
    this.#chain = chain;
    const file = path.join(folder, 'deployment.json');
    writeFileSync(file, JSON.stringify(chain.deployment));
    this.#deployment = ['--deployment', file];
    this.#rpc = ['--rpc', chain.anvil.url];
  }

  /** Takes the keys out of the environment again. */
  close(): void {
    for (const name of this.#variables) delete process.env[name];
  }

  /** What a command prints with --json; `account` signs, null only reads. */
  // oxlint-disable-next-line typescript/no-explicit-any -- every test says what it expects of the printed JSON
  async run(account: number | null, ...words: readonly string[]): Promise<Record<string, any>> {
    const lines = await this.lines(account, ...words, '--json');
    return JSON.parse(lines.at(-1) ?? 'null');
  }

  /** What a command prints for people. */
  async lines(account: number | null, ...words: readonly string[]): Promise<string[]> {
    return this.#parse(account, [...words, ...this.#rpc]);
  }

  /** What a command prints that is told of no node. */
  async offline(account: number, ...words: readonly string[]): Promise<string[]> {
    return this.#parse(account, words);
  }

  async #parse(account: number | null, words: readonly string[]): Promise<string[]> {
    const lines: string[] = [];
    const program = buildProgram((line) => lines.push(line));
    await program.parseAsync([...words, ...this.#deployment, ...this.#keyOf(account)], { from: 'user' });
    return lines;
  }

  /** How a command fails. Throws when it does not. */
  async fails(account: number | null, ...words: readonly string[]): Promise<CommandFailure> {
    let lines: string[];
    try {
      lines = await this.lines(account, ...words);
    } catch (error) {
      return { exitCode: exitCodeOf(error), message: describeError(error) };
    }
    throw new Error(`${words.join(' ')} did not fail but said: ${lines.join(' / ')}`);
  }

  /** Lets the chain's clock go on, and mines a block. */
  async passTime(seconds: number): Promise<void> {
    await this.#chain.rpc.request(control('evm_increaseTime', [seconds]));
    await this.#chain.rpc.request(control('evm_mine', []));
  }

  #keyOf(account: number | null): readonly string[] {
    if (account === null) return [];
    const name = `MARKET_COMMANDS_KEY_${account}`;
    process.env[name] = this.#chain.account(account).privateKey;
    this.#variables.add(name);
    return ['--private-key-env', name];
  }
}
