import { MatchmakerError } from '../../engine/error.js';

/** The spec of an order as Spheron's OrderRequest carries it, before it is compressed into a string. */
export interface SpheronOrderSpec {
  readonly name: string;
  readonly attributes: readonly SpheronAttribute[];
  readonly services: readonly SpheronService[];
}

/** A pair of a placement's, a volume's or a GPU's attributes; `vendor/nvidia/model/h100` has the value `true`. */
export interface SpheronAttribute {
  readonly key: string;
  readonly value: string;
}

/** What one replica of a service needs. */
export interface SpheronService {
  readonly name: string;
  readonly resources: {
    readonly id: number;
    readonly cpu: SpheronUnits;
    readonly memory: SpheronUnits;
    readonly storage: readonly (SpheronUnits & { readonly name: string })[];
    readonly gpu: SpheronUnits;
    /** Kind 0 is shared HTTP, 1 a random port, 2 a leased IP. */
    readonly endpoints: readonly { readonly kind: number; readonly sequenceNumber: number }[];
  };
  readonly replicaCount: number;
}

/** Thousandths of a core, bytes, or whole GPUs. */
export interface SpheronUnits {
  readonly units: number;
  readonly attributes: readonly SpheronAttribute[];
}

/** A compressed spec that is none, or a spec that cannot be compressed. */
export class SpheronSpecInvalidError extends MatchmakerError<'SPHERON_SPEC_INVALID'> {
  constructor(problem: string, at: number | null) {
    super('SPHERON_SPEC_INVALID', `Spheron order spec: ${problem}${at === null ? '' : ` at character ${at + 1}`}`, {
      metadata: { problem, at },
    });
  }
}

/**
 * Compresses a spec into the string that Spheron's OrderRequest stores: JSON without quotes, with keys of one or two letters.
 * A letter's meaning depends on where it stands (`s` is services, storage or sequence number; `c` CPU or replica count; `k` key or kind).
 * Throws SpheronSpecInvalidError for a text that would not survive without quotes, and for numbers that are no whole ones.
 *
 * @example
 * compressSpheronSpec({ name: 'eu', attributes: [{ key: 'region', value: 'germany' }], services: [] });
 * // '{n:eu,pr:{a:[{k:region,v:germany}]},s:[]}'
 */
export function compressSpheronSpec(spec: SpheronOrderSpec): string {
  return `{n:${word(spec.name)},pr:{a:${attributes(spec.attributes)}},s:[${spec.services.map(service).join(',')}]}`;
}

/**
 * Reads a compressed spec back, whatever the order of its keys.
 * Throws SpheronSpecInvalidError that names the character.
 */
export function decompressSpheronSpec(text: string): SpheronOrderSpec {
  const reader = new SpecReader(text);
  const spec = asSpec(reader.value());
  reader.end();
  return spec;
}

function service({ name, resources, replicaCount }: SpheronService): string {
  const storage = resources.storage.map(
    (volume) => `{n:${word(volume.name)},a:${attributes(volume.attributes)},u:${whole(volume.units)}}`,
  );
  const endpoints = resources.endpoints.map(
    ({ kind, sequenceNumber }) => `{k:${whole(kind)},s:${whole(sequenceNumber)}}`,
  );
  return (
    `{n:${word(name)},r:{i:${whole(resources.id)},c:${units(resources.cpu)},m:${units(resources.memory)},` +
    `s:[${storage.join(',')}],g:${units(resources.gpu)},e:[${endpoints.join(',')}]},c:${whole(replicaCount)}}`
  );
}

function units(of: SpheronUnits): string {
  return `{u:${whole(of.units)},a:${attributes(of.attributes)}}`;
}

function attributes(list: readonly SpheronAttribute[]): string {
  return `[${list.map(({ key, value }) => `{k:${word(key)},v:${word(value)}}`).join(',')}]`;
}

/** Characters that end a text without quotes. */
const STOPS = '{}[],:';

function word(text: string): string {
  if (text === '' || text !== text.trim() || /[{}[\],:]/.test(text)) {
    throw new SpheronSpecInvalidError(`\`${text}\` cannot be written without quotes`, null);
  }
  return text;
}

function whole(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new SpheronSpecInvalidError(`${value} is no whole number`, null);
  return value.toString();
}

/** A value of the string with the place where it begins. */
type Parsed =
  | { readonly kind: 'object'; readonly at: number; readonly members: ReadonlyMap<string, Parsed> }
  | { readonly kind: 'list'; readonly at: number; readonly entries: readonly Parsed[] }
  | { readonly kind: 'word'; readonly at: number; readonly text: string };

/** Deepest nesting of a spec is 7. */
const MOST_DEPTH = 16;

class SpecReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(): Parsed {
    const at = this.#at;
    if (++this.#depth > MOST_DEPTH) throw new SpheronSpecInvalidError('too deeply nested', at);
    let parsed: Parsed;
    if (this.#take('{')) parsed = { kind: 'object', at, members: this.#members() };
    else if (this.#take('[')) parsed = { kind: 'list', at, entries: this.#entries() };
    else parsed = { kind: 'word', at, text: this.#word() };
    this.#depth--;
    return parsed;
  }

  end(): void {
    if (this.#at < this.#text.length) throw new SpheronSpecInvalidError('more text than a spec', this.#at);
  }

  #members(): Map<string, Parsed> {
    const members = new Map<string, Parsed>();
    if (this.#take('}')) return members;
    do {
      const at = this.#at;
      const key = this.#word();
      if (members.has(key)) throw new SpheronSpecInvalidError(`a second \`${key}\``, at);
      this.#expect(':');
      members.set(key, this.value());
    } while (this.#take(','));
    this.#expect('}');
    return members;
  }

  #entries(): Parsed[] {
    const entries: Parsed[] = [];
    if (this.#take(']')) return entries;
    do entries.push(this.value());
    while (this.#take(','));
    this.#expect(']');
    return entries;
  }

  #word(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !STOPS.includes(this.#text.charAt(this.#at))) this.#at++;
    const text = this.#text.slice(start, this.#at);
    if (text === '' || text !== text.trim()) throw new SpheronSpecInvalidError('a text is missing', start);
    return text;
  }

  #take(character: string): boolean {
    if (this.#text.charAt(this.#at) !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#take(character)) throw new SpheronSpecInvalidError(`\`${character}\` is missing`, this.#at);
  }
}

function asSpec(value: Parsed): SpheronOrderSpec {
  const members = membersOf(value, ['n', 'pr', 's']);
  return {
    name: wordOf(member(value, members, 'n')),
    attributes: asAttributes(member(value, members, 'pr')),
    services: entriesOf(member(value, members, 's')).map(asService),
  };
}

/** The placement's requirement, whose wallets no order of today carries. */
function asAttributes(value: Parsed): readonly SpheronAttribute[] {
  const list = membersOf(value, ['a']).get('a');
  return list === undefined ? [] : asPairs(list);
}

function asPairs(value: Parsed): readonly SpheronAttribute[] {
  return entriesOf(value).map((entry) => {
    const members = membersOf(entry, ['k', 'v']);
    return { key: wordOf(member(entry, members, 'k')), value: wordOf(member(entry, members, 'v')) };
  });
}

function asService(value: Parsed): SpheronService {
  const members = membersOf(value, ['n', 'r', 'c']);
  const resourcesValue = member(value, members, 'r');
  const resources = membersOf(resourcesValue, ['i', 'c', 'm', 's', 'g', 'e']);
  return {
    name: wordOf(member(value, members, 'n')),
    resources: {
      id: wholeOf(member(resourcesValue, resources, 'i')),
      cpu: asUnits(member(resourcesValue, resources, 'c')),
      memory: asUnits(member(resourcesValue, resources, 'm')),
      storage: entriesOf(member(resourcesValue, resources, 's')).map((volume) => ({
        name: wordOf(member(volume, membersOf(volume, ['n', 'a', 'u']), 'n')),
        ...unitsOf(volume, ['n', 'a', 'u']),
      })),
      gpu: asUnits(member(resourcesValue, resources, 'g')),
      endpoints: entriesOf(member(resourcesValue, resources, 'e')).map((endpoint) => {
        const parts = membersOf(endpoint, ['k', 's']);
        return { kind: wholeOf(member(endpoint, parts, 'k')), sequenceNumber: wholeOf(member(endpoint, parts, 's')) };
      }),
    },
    replicaCount: wholeOf(member(value, members, 'c')),
  };
}

function asUnits(value: Parsed): SpheronUnits {
  return unitsOf(value, ['u', 'a']);
}

function unitsOf(value: Parsed, known: readonly string[]): SpheronUnits {
  const members = membersOf(value, known);
  return { units: wholeOf(member(value, members, 'u')), attributes: asPairs(member(value, members, 'a')) };
}

function membersOf(value: Parsed, known: readonly string[]): ReadonlyMap<string, Parsed> {
  if (value.kind !== 'object') throw new SpheronSpecInvalidError('an object is missing', value.at);
  for (const [key, { at }] of value.members) {
    if (!known.includes(key)) throw new SpheronSpecInvalidError(`\`${key}\` does not belong here`, at);
  }
  return value.members;
}

function member(value: Parsed, members: ReadonlyMap<string, Parsed>, key: string): Parsed {
  const found = members.get(key);
  if (found === undefined) throw new SpheronSpecInvalidError(`\`${key}\` is missing`, value.at);
  return found;
}

function entriesOf(value: Parsed): readonly Parsed[] {
  if (value.kind !== 'list') throw new SpheronSpecInvalidError('a list is missing', value.at);
  return value.entries;
}

function wordOf(value: Parsed): string {
  if (value.kind !== 'word') throw new SpheronSpecInvalidError('a text is missing', value.at);
  return value.text;
}

function wholeOf(value: Parsed): number {
  const text = wordOf(value);
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(number)) throw new SpheronSpecInvalidError(`\`${text}\` is no whole number`, value.at);
  return number;
}
