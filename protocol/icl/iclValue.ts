import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { IclProblem } from './iclProblem.js';
import { nearest } from './nearest.js';

/** Most problems that are reported; a document with more has one cause. */
const MOST_PROBLEMS = 100;
/** Longest document that is read, UTF-16 units. */
const MOST_TEXT = 262_144;
/** Deepest nesting of a real document is 12; the parser calls itself once a level. */
const MOST_DEPTH = 200;

/** Collects the problems of one document and knows its lines. */
export class IclDocument {
  readonly #lines = new LineCounter();
  readonly #problems: IclProblem[] = [];
  #document: Document | null = null;

  /** Reads a document; whatever keeps it from being read is a problem. */
  constructor(text: string) {
    if (text.length > MOST_TEXT) {
      this.report(0, '', `the document has more than ${MOST_TEXT} characters`, 'write a shorter one');
      return;
    }
    if (hasLoneSurrogate(text) || flowDepth(text) > MOST_DEPTH || blockDepth(text) > 4 * MOST_DEPTH) {
      this.report(0, '', 'the document is no text, or nested too deeply', 'write plain YAML');
      return;
    }
    let document: Document;
    try {
      document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: true });
    } catch (error) {
      this.report(
        0,
        '',
        `the document is no YAML (${error instanceof Error ? error.message : 'unknown'})`,
        'correct it',
      );
      return;
    }
    for (const error of document.errors) {
      this.report(error.pos[0], '', `no valid YAML: ${firstLine(error.message)}`, 'correct the YAML here');
    }
    if (document.errors.length === 0) this.#document = document;
  }

  /** The whole document; null when it could not be read. */
  root(): IclValue | null {
    return this.#document === null ? null : new IclValue(this, this.#document.contents, '', 0);
  }

  /** Follows an alias to what it stands for. */
  resolve(node: unknown): unknown {
    return isAlias(node) && this.#document !== null ? node.resolve(this.#document) : node;
  }

  /** Notes a problem at an offset of the text. */
  report(offset: number, path: string, problem: string, fix: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.#problems.push({ line: Math.max(line, 1), column: Math.max(col, 1), path, problem, fix });
  }

  /** Everything that is wrong so far, in the order of the lines, each once. */
  problems(): readonly IclProblem[] {
    const seen = new Set<string>();
    return this.#problems
      .toSorted((a, b) => a.line - b.line || a.column - b.column)
      .filter((problem) => {
        const key = JSON.stringify(problem);
        return !seen.has(key) && seen.add(key);
      })
      .slice(0, MOST_PROBLEMS);
  }
}

/** A value of a document, with its place. Reading it as something that it is not notes a problem and gives null. */
export class IclValue {
  readonly path: string;
  readonly #document: IclDocument;
  readonly #node: unknown;
  readonly #offset: number;

  constructor(document: IclDocument, node: unknown, path: string, offset: number) {
    this.path = path;
    this.#document = document;
    this.#node = document.resolve(node);
    this.#offset = offsetOf(node) ?? offset;
  }

  /** Notes a problem here. Gives null, so that a reader can return it. */
  fail(problem: string, fix: string): null {
    this.#document.report(this.#offset, this.path, problem, fix);
    return null;
  }

  /** True for `null`, `~` and nothing at all. */
  isEmpty(): boolean {
    return this.#node === null || this.#node === undefined || (isScalar(this.#node) && this.#node.value === null);
  }

  isList(): boolean {
    return isSeq(this.#node);
  }

  isMapping(): boolean {
    return isMap(this.#node);
  }

  /** The members of a mapping. With `known`, other keys are problems, each with the nearest known one. */
  members(known?: readonly string[]): ReadonlyMap<string, IclValue> | null {
    if (!isMap(this.#node)) return this.fail('must be a mapping', 'write `key: value` lines below it');
    const members = new Map<string, IclValue>();
    for (const { key, value } of this.#node.items) {
      const keyNode = this.#document.resolve(key);
      const offset = offsetOf(key) ?? this.#offset;
      const name = isScalar(keyNode) ? nameOf(keyNode) : null;
      if (name === null) {
        this.#document.report(offset, this.path, 'a key must be a word', 'write a plain name before the colon');
        continue;
      }
      const path = this.path === '' ? name : `${this.path}.${name}`;
      if (known !== undefined && !known.includes(name)) {
        const suggestion = nearest(name, known);
        this.#document.report(
          offset,
          this.path,
          `unknown key \`${name}\``,
          suggestion === null ? `known keys: ${known.join(', ')}` : `did you mean \`${suggestion}\`?`,
        );
        continue;
      }
      members.set(name, new IclValue(this.#document, value, path, offset));
    }
    return members;
  }

  /** The entries of a list. */
  entries(): readonly IclValue[] | null {
    if (!isSeq(this.#node)) return this.fail('must be a list', 'write `- entry` lines below it');
    return this.#node.items.map(
      (item, index) => new IclValue(this.#document, item, `${this.path}[${index}]`, this.#offset),
    );
  }

  /** The text of a scalar as it was written, numbers and truth values included. */
  text(): string | null {
    if (!isScalar(this.#node) || this.#node.value === null || this.#node.value === undefined) {
      return this.fail('must be a text', 'write a single value');
    }
    const { value, source } = this.#node;
    // A number's source keeps the digits that its float would lose.
    const text = typeof value === 'string' ? value : (source ?? JSON.stringify(value));
    return hasLoneSurrogate(text) ? this.fail('holds half of a surrogate pair', 'write whole characters') : text;
  }

  truth(): boolean | null {
    if (isScalar(this.#node) && typeof this.#node.value === 'boolean') return this.#node.value;
    return this.fail('must be true or false', 'write true or false');
  }

  integer(least: number, most: number): number | null {
    const text = isScalar(this.#node) ? this.text() : null;
    const value = text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
    if (value !== null && value >= least && value <= most) return value;
    return this.fail('must be a whole number', `write one from ${least} to ${most}`);
  }
}

function nameOf(node: { readonly value: unknown; readonly source?: string | undefined }): string | null {
  if (node.value === null || node.value === undefined) return null;
  const name = typeof node.value === 'string' ? node.value : (node.source ?? JSON.stringify(node.value));
  return hasLoneSurrogate(name) ? null : name;
}

/** Such text has no UTF-8 form, hence no hash. */
function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}

function offsetOf(node: unknown): number | null {
  return (node as Node | null | undefined)?.range?.[0] ?? null;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}

/** An upper bound on the nesting of brackets. */
function flowDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const character of text) {
    if (character === '[' || character === '{') deepest = Math.max(deepest, ++depth);
    else if ((character === ']' || character === '}') && depth > 0) depth--;
  }
  return deepest;
}

/** An upper bound on the nesting of blocks: each level takes a column at least, or one dash or question mark of the line. */
function blockDepth(text: string): number {
  let deepest = 0;
  for (const line of text.split('\n')) {
    const lead = /^[\s\-?:]*/.exec(line)?.[0].length ?? 0;
    deepest = Math.max(deepest, lead);
  }
  return deepest;
}
