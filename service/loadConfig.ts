import { readFileSync } from 'node:fs';
import path from 'node:path';

import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';

import { MatchmakerError } from '../engine/error.js';
import { messageOf, unreadable } from './thrown.js';

/** One thing wrong with a configuration: which key, and what to do about it. */
export interface ConfigProblem {
  /** Dotted path of the key, or the file name when the file itself cannot be read. */
  readonly path: string;
  readonly message: string;
}

/** Every problem of a configuration at once; the command line prints them and exits 2. */
export class ConfigInvalidError extends MatchmakerError<'CONFIG_INVALID'> {
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const list = problems.map((problem) => `  ${problem.path}: ${problem.message}`).join('\n');
    super('CONFIG_INVALID', `${problems.length} configuration problem${problems.length === 1 ? '' : 's'}:\n${list}`, {
      metadata: { problems },
    });
    this.problems = problems;
  }
}

export interface ConfigSource {
  /** JSON or YAML file; optional when the flags say everything. */
  readonly file?: string | undefined;
  /** Values that win over the file's, nested as in the file; undefined ones are ignored. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Dotted keys that hold file paths: relative ones in the file start at the file's folder, relative flags at the working directory. */
  readonly pathKeys: readonly string[];
}

/**
 * Reads a configuration: defaults of the schema, under the file, under the flags. Unknown keys are refused.
 * Throws ConfigInvalidError with all problems.
 */
export function loadConfig<Schema extends z.ZodType>(schema: Schema, source: ConfigSource): z.output<Schema> {
  const fromFile = source.file === undefined ? {} : readConfigFile(source.file);
  if (source.file !== undefined) {
    absolutePaths(fromFile, source.pathKeys, path.dirname(path.resolve(source.file)));
  }
  const flags: Record<string, unknown> = structuredClone(source.flags);
  absolutePaths(flags, source.pathKeys, process.cwd());
  const result = schema.safeParse(merged(fromFile, flags));
  if (!result.success) throw new ConfigInvalidError(result.error.issues.flatMap(problemsOf));
  return result.data;
}

function readConfigFile(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new ConfigInvalidError([{ path: file, message: unreadable(error) }]);
  }
  let value: unknown;
  try {
    // JSON is a subset of YAML, but its own parser has the clearer messages.
    value = file.endsWith('.json') ? JSON.parse(text) : parseYaml(text, { uniqueKeys: true });
  } catch (error) {
    throw new ConfigInvalidError([{ path: file, message: `cannot be parsed: ${messageOf(error).replace(/:$/, '')}` }]);
  }
  if (!isObject(value)) throw new ConfigInvalidError([{ path: file, message: 'must hold an object of keys' }]);
  return value;
}

function problemsOf(issue: z.core.$ZodIssue): ConfigProblem[] {
  const at = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: at === '' ? key : `${at}.${key}`, message: 'unknown key' }));
  }
  return [{ path: at === '' ? '(root)' : at, message: wordsFor(issue) }];
}

/** What to do about an issue, where the schema does not say it in words of its own. */
function wordsFor(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.endsWith('received undefined') ? 'is missing' : `must be a ${issue.expected}`;
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty';
      return issue.origin === 'array' ? issue.message : `must be at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array' ? issue.message : `must be at most ${issue.maximum}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    default:
      return issue.message;
  }
}

function merged(base: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = result[key];
    result[key] =
      isObject(value) && isObject(below) ? merged(below, value) : isObject(value) ? merged({}, value) : value;
  }
  for (const [key, value] of Object.entries(result)) {
    if (isObject(value) && Object.keys(value).length === 0 && !(key in base)) delete result[key];
  }
  return result;
}

function absolutePaths(config: Record<string, unknown>, pathKeys: readonly string[], folder: string): void {
  for (const pathKey of pathKeys) {
    const keys = pathKey.split('.');
    const last = keys.pop();
    let holder: unknown = config;
    for (const key of keys) holder = isObject(holder) ? holder[key] : undefined;
    if (!isObject(holder) || last === undefined) continue;
    const value = holder[last];
    if (typeof value === 'string' && value !== '') holder[last] = path.resolve(folder, value);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
