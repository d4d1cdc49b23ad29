import { existsSync, readFileSync, readdirSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';
import { Command } from 'commander';
import { z } from 'zod';

import { aggregatorConfigSchema } from '../../aggregator/aggregatorConfig.js';
import { AggregatorEvents } from '../../aggregator/aggregatorEvents.js';
import { buildProgram } from '../../cli/program.js';
import { EigenMetrics } from '../../operator/eigenMetrics.js';
import { OperatorEvents } from '../../operator/operatorEvents.js';
import { operatorConfigSchema } from '../../operator/operatorConfig.js';
import { FAULT_NUMBERS } from '../../protocol/evidence/evidenceAbi.js';
import { createLogger } from '../../service/logger.js';
import { Metrics } from '../../service/metrics.js';
import { watcherConfigSchema } from '../../watcher/watcherConfig.js';
import { WatcherEvents } from '../../watcher/watcherEvents.js';

const read = (file: string): string => readFileSync(file, 'utf8');
const operatorPage = read('docs/operator.md');
const aggregatorPage = read('docs/aggregator.md');
const devnetPage = read('docs/devnet.md');

/** Everything that stands alone between backticks on a page, flags without their argument. */
function named(page: string): Set<string> {
  return new Set([...page.matchAll(/`([^`\n]+)`/g)].flatMap(([, text = '']) => [text, text.split(' ')[0] ?? '']));
}

/** First columns of the rows of all tables on a page. */
function firstColumn(page: string): string[] {
  return [...page.matchAll(/^\| `([^`]+)`/gm)].map(([, text = '']) => text);
}

/** All texts that a pattern's first group finds in a file; none at all means that the pattern has gone stale. */
function found(file: string, pattern: RegExp): string[] {
  const texts = [...read(file).matchAll(pattern)].map(([, text = '']) => text);
  if (texts.length === 0) throw new Error(`${file} has nothing like ${pattern.source}`);
  return texts;
}

/** Members of an exported union of string literals. */
function unionOf(file: string, type: string): string[] {
  const code = read(file).replaceAll(/\/\*\*[^]*?\*\//g, '');
  const body = new RegExp(`export type ${type} =([^;]*);`).exec(code)?.[1] ?? '';
  const members = [...body.matchAll(/'([^']+)'/g)].map(([, member = '']) => member);
  if (members.length === 0) throw new Error(`${file} has no union ${type}`);
  return members;
}

/** Dotted keys of a schema, objects opened up. */
function keysOf(schema: z.ZodType, prefix = ''): string[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  const walk = (node: unknown, at: string): string[] => {
    if (typeof node !== 'object' || node === null || !('properties' in node)) return [at];
    return Object.entries(node.properties as object).flatMap(([key, value]) => walk(value, at ? `${at}.${key}` : key));
  };
  return walk(json, prefix);
}

function commandAt(...names: string[]): Command {
  return names.reduce<Command>(
    (command, name) => {
      const child = command.commands.find((candidate) => candidate.name() === name);
      if (child === undefined) throw new Error(`no command ${name}`);
      return child;
    },
    buildProgram(() => undefined),
  );
}

function flagsOf(...names: string[]): string[] {
  return commandAt(...names).options.map((option) => option.long ?? option.flags);
}

async function metricsOf(events: (metrics: Metrics) => unknown, process: string): Promise<string[]> {
  const metrics = new Metrics({ process, collectNodeMetrics: false });
  events(metrics);
  return (await metrics.registry.getMetricsAsJSON()).map(({ name }) => name);
}

const logger = createLogger({ service: 'test', level: 'silent' });
const expectAll = (page: string, names: readonly string[]): void => {
  expect(names.length).toBeGreaterThan(0);
  const known = named(page);
  expect(names.filter((name) => !known.has(name))).toEqual([]);
};

describe('docs/operator.md', () => {
  test('has every metric, and none that does not exist', async () => {
    const names = await metricsOf((metrics) => {
      const eigen = new EigenMetrics({ operatorSetId: 0, quorumName: 'test' }, metrics);
      eigen.slashingIs(false);
      return new OperatorEvents({ logger, metrics, eigen });
    }, 'operator');
    expect(firstColumn(operatorPage).filter((name) => /^(matchmaker|eigen)_/.test(name))).toEqual(names);
  });

  test('has every reason for abstaining, and none that does not exist', () => {
    const reasons = [
      ...unionOf('chain/sync/roundFollower.ts', 'AbstainReason'),
      ...unionOf('operator/operatorEvents.ts', 'OperatorAbstainReason'),
    ];
    const documented = firstColumn(operatorPage).filter((name) => /^[A-Z_]+$/.test(name));
    expect(documented.toSorted()).toEqual(reasons.toSorted());
  });

  test('has every key and every flag', () => {
    expectAll(operatorPage, keysOf(operatorConfigSchema));
    expectAll(
      operatorPage,
      flagsOf('operator', 'start').filter((flag) => flag !== '--config'),
    );
  });

  test('has every event of its log and every check of its health', () => {
    const events = found('operator/operatorEvents.ts', /event: (?:[\w.]+ \? )?'([a-z_]+)'/g);
    expectAll(operatorPage, [...events, 'signature_refused']);
    const [checks = ''] = found('operator/runOperator.ts', /const checks = \{\n([^]*?)\n {4}\};/g);
    expectAll(
      operatorPage,
      [...checks.matchAll(/^ {6}(\w+):/gm)].map(([, name = '']) => name),
    );
  });
});

describe('docs/aggregator.md', () => {
  test('has every metric, and none that does not exist', async () => {
    const names = await metricsOf((metrics) => new AggregatorEvents({ logger, metrics }), 'aggregator');
    expect(firstColumn(aggregatorPage).filter((name) => name.startsWith('matchmaker_'))).toEqual(names);
  });

  test('has every problem code, and none that does not exist', () => {
    const codes = new Set([
      ...unionOf('aggregator/roundBook.ts', 'VoteRefusal'),
      ...found('aggregator/signatureIntake.ts', /code: '([a-z-]+)'/g),
      ...found('aggregator/signatureIntake.ts', /refuse\(\s*\d+,\s*'([a-z-]+)'/g),
      ...found('aggregator/signatureRoutes.ts', /code: '([a-z-]+)'/g),
      ...found('service/httpServer.ts', /code: (?:[^'\n]*\? )?'([a-z-]+)'/g),
    ]);
    const table = aggregatorPage.slice(aggregatorPage.indexOf('### Problems'), aggregatorPage.indexOf('## Evidence'));
    expect(firstColumn(table).toSorted()).toEqual([...codes].toSorted());
  });

  test('has every key, every flag, every route and every outcome of a settlement', () => {
    expectAll(aggregatorPage, keysOf(aggregatorConfigSchema));
    expectAll(
      aggregatorPage,
      flagsOf('aggregator', 'start').filter((flag) => flag !== '--config'),
    );
    expectAll(aggregatorPage, [
      ...found('aggregator/aggregatorEvents.ts', /settlements\.inc\(\{ outcome: '([a-z-]+)'/g),
      ...found('aggregator/settler.ts', /settlement(?:Ended|Failed)\(round, '([a-z-]+)'/g),
      ...found('aggregator/followUpHandlers.ts', /code: '([a-z-]+)'/g),
    ]);
    for (const route of found('aggregator/signatureRoutes.ts', /app\.get(?:<[^>]*>+)?\(\s*'([^']+)'/g)) {
      expect(firstColumn(aggregatorPage)).toContain(`GET ${route}`);
    }
  });
});

describe('docs/watcher.md', () => {
  const page = read('docs/watcher.md');

  test('has every metric, and none that does not exist', async () => {
    const names = await metricsOf((metrics) => new WatcherEvents({ logger, metrics }), 'watcher');
    expect(firstColumn(page).filter((name) => name.startsWith('matchmaker_'))).toEqual(names);
  });

  test('has every key, every flag, every fault, every outcome, every stage and every check of its health', () => {
    expectAll(page, keysOf(watcherConfigSchema));
    expectAll(
      page,
      flagsOf('watch').filter((flag) => flag !== '--config'),
    );
    expectAll(page, Object.keys(FAULT_NUMBERS));
    expectAll(page, unionOf('watcher/roundLog.ts', 'RoundOutcome'));
    expectAll(page, unionOf('watcher/challenger.ts', 'CaseStage'));
    const [checks = ''] = found('watcher/runWatcher.ts', /const checks = \{\n([^]*?)\n {4}\};/g);
    expectAll(
      page,
      [...checks.matchAll(/^ {6}(\w+):/gm)].map(([, name = '']) => name),
    );
  });
});

describe('docs/governance.md', () => {
  const page = read('docs/governance.md');

  test('has every role with its number and every function of it', () => {
    const authority = read('contracts/src/deploy/MarketAuthority.sol');
    const numbers = found('contracts/src/governance/MarketRoles.sol', /constant (\w+ = \d+);/g);
    for (const [name = '', number = ''] of numbers.map((text) => text.split(' = '))) {
      const row = page.split('\n').find((line) => new RegExp(`^\\| ${number} +\\| \`${name}\``).test(line));
      expect([name, row]).not.toContain(undefined);
      const functions = [...authority.matchAll(new RegExp(`\\.(\\w+)\\.selector, MarketRoles\\.${name}\\)`, 'g'))];
      expect(functions.length).toBeGreaterThan(0);
      for (const [, text = ''] of functions)
        expect([name, row]).toEqual([name, expect.stringContaining(`\`${text}\``)]);
    }
  });
});

describe('docs/economy.md', () => {
  test('has every parameter of config/economy that decides about money', () => {
    const page = read('docs/economy.md') + read('docs/governance.md');
    const economy = JSON.parse(read('config/economy/default.json')) as Record<string, Record<string, unknown>>;
    const names = Object.entries(economy).flatMap(([group, values]) =>
      Object.keys(values).map((key) => `${group}.${key}`),
    );
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter((name) => !page.includes(`\`${name}\` = `))).toEqual([]);
  });
});

describe('docs/devnet.md', () => {
  test.each([['demo'], ['deploy']])('has every flag of devnet %s', (name) => {
    expectAll(devnetPage, flagsOf('devnet', name));
  });
});

/** The command that the first words name; what follows are its arguments. */
function commandOf(words: readonly string[]): Command {
  let command = buildProgram(() => undefined);
  for (const word of words) {
    const child = command.commands.find((candidate) => candidate.name() === word);
    if (child !== undefined) command = child;
    else if (word.startsWith('-')) break;
    else if (command.commands.length > 0) throw new Error(`no command ${words.join(' ')}`);
    else break;
  }
  return command;
}

/** A command as a page has it: at the start of a line or of a code span, after a variable, in `$(...)`, or in an `until` loop. */
const COMMAND = /(?:^|`|^\w+=\$\(|^until )(?:\w+=[^\s$]+ )?(?:matchmaker|node dist\/matchmaker\.js) ([a-z][^`\n;)]*)/gm;

describe('links and commands', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync('docs')
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`),
  ];

  test.each(pages)('every relative link of %s leads to a file or a folder', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)].map(([, target = '']) => target);
    const folder = page.includes('/') ? page.slice(0, page.lastIndexOf('/') + 1) : '';
    expect(links.filter((link) => !existsSync(`${folder}${link}`))).toEqual([]);
  });

  test.each(pages)('every matchmaker command of %s exists with the flags it is given', (page) => {
    const lines = [...read(page).matchAll(COMMAND)];
    for (const [, line = ''] of lines) {
      const words = line.split(' ');
      const command = commandOf(words);
      const known = command.options.flatMap(({ long, short }) => [long, short]);
      for (const word of words) if (word.startsWith('-')) expect(known).toContain(word);
    }
  });
});
