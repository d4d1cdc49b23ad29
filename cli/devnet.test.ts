import { describe, expect, it } from '@jest/globals';
import { buildProgram } from './program.js';
import { exitCodeOf } from './usage.js';

async function failureOf(...args: string[]): Promise<Error> {
  const program = buildProgram(() => undefined);
  try {
    await program.parseAsync(['node', 'matchmaker', 'devnet', 'demo', '--run-dir', '/nonexistent/run', ...args]);
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was accepted');
}

// Each of these fails before anything is started: the run folder could not even be made.
describe('devnet demo', () => {
  it.each([
    [['--nodes', 'nodes.csv'], /--nodes and --pods go together/],
    [['--pods', 'pods.csv'], /--nodes and --pods go together/],
    [['--providers', '0'], /--providers is 0, it must be from 1 to 1000/],
    [['--orders', '0'], /--orders is 0/],
    [['--seed', '-1'], /--seed is -1/],
    [['--block-time-ms', '10'], /--block-time-ms is 10/],
    [['--round-length', '1'], /--round-length is 1/],
    [['--operators', '3'], /3 operators: a devnet has 4 to 64/],
    [
      ['--nodes', '/nonexistent/a.csv', '--pods', '/nonexistent/b.csv'],
      /trace file \/nonexistent\/a.csv: there is no such file/,
    ],
  ])('refuses %j with exit code 2', async (args, message) => {
    const failure = await failureOf(...args);
    expect(failure.message).toMatch(message);
    expect(exitCodeOf(failure)).toBe(2);
  });
});
