import type { GpuModelRow, IclTables } from './iclTables.js';
import type { IclValue } from './iclValue.js';
import { nearest } from './nearest.js';
import { parseBytes, parseCpuMilli, parseDecimal } from './quantities.js';
import { checkName, readList } from './readServices.js';

/** A volume of one replica. */
export interface IclVolume {
  readonly name: string;
  readonly value: IclValue;
  readonly bytes: bigint;
  readonly persistent: boolean;
  /** `ram` volumes are memory, `beta3` ones persistent NVMe; null for the machine's own disk. */
  readonly storageClass: string | null;
}

/** What one replica of a service needs. */
export interface IclResources {
  readonly value: IclValue;
  readonly cpuMilli: bigint;
  readonly memoryBytes: bigint;
  readonly volumes: readonly IclVolume[];
  /** Thousandths of a GPU: below 1000 a share of one, else whole ones. */
  readonly milliGpu: bigint;
  readonly gpuValue: IclValue | null;
  /** Accepted models, null for any. */
  readonly models: readonly number[] | null;
  /** As the document names them. */
  readonly modelNames: readonly string[];
}

/** Storage classes that a volume may name; null is the machine's own disk. */
const STORAGE_CLASSES = ['default', 'beta1', 'beta2', 'beta3', 'ram'];

/** Compute profiles of a document by name. */
export function readCompute(value: IclValue, tables: IclTables): ReadonlyMap<string, IclResources> {
  const profiles = new Map<string, IclResources>();
  for (const [name, profile] of value.members() ?? []) {
    const resources = profile.members(['resources'])?.get('resources');
    if (resources !== undefined) profiles.set(name, readResources(resources, tables));
    else if (profile.isMapping()) profile.fail('has no `resources`', 'add `resources` with cpu, memory and storage');
  }
  return profiles;
}

function readResources(value: IclValue, tables: IclTables): IclResources {
  const members = value.members(['cpu', 'memory', 'storage', 'gpu']) ?? new Map<string, IclValue>();
  const cpu = members.get('cpu');
  const memory = members.get('memory');
  if (cpu === undefined) value.fail('has no `cpu`', 'add `cpu: {units: 1}`');
  if (memory === undefined) value.fail('has no `memory`', 'add `memory: {size: 1Gi}`');
  return {
    value,
    cpuMilli: cpu === undefined ? 0n : readCpu(cpu),
    memoryBytes: memory === undefined ? 0n : readSize(memory, ['size']),
    volumes: readVolumes(members.get('storage')),
    ...readGpu(members.get('gpu'), tables),
  };
}

function readCpu(value: IclValue): bigint {
  const members = value.members(['units', 'attributes']);
  const attributes = members?.get('attributes');
  if (attributes !== undefined && !attributes.isEmpty() && !isEmptyList(attributes)) {
    attributes.fail('CPU attributes belong to fizz nodes', 'leave them out; this market has provider machines only');
  }
  const units = members?.get('units');
  if (units === undefined) {
    if (members !== null) value.fail('has no `units`', 'add `units`, like 1, 0.5 or 100m');
    return 0n;
  }
  const text = units.text();
  const milli = text === null ? null : parseCpuMilli(text);
  if (text !== null && milli === null) units.fail(`\`${text}\` is no number of cores`, 'write it like 1, 0.5 or 100m');
  if (milli === 0n) units.fail('a service needs CPU', 'write at least 1m');
  return milli ?? 0n;
}

function readSize(value: IclValue, keys: readonly string[]): bigint {
  const members = value.members(keys);
  const size = members?.get('size');
  if (size === undefined) {
    if (members !== null) value.fail('has no `size`', 'add `size`, like 512Mi or 32Gi');
    return 0n;
  }
  const text = size.text();
  const bytes = text === null ? null : parseBytes(text);
  if (text !== null && bytes === null) {
    size.fail(`\`${text}\` is no size`, 'write a number with k, Ki, M, Mi, G, Gi, T, Ti, P, Pi, E or Ei');
  }
  return bytes ?? 0n;
}

function readVolumes(value: IclValue | undefined): readonly IclVolume[] {
  if (value === undefined) return [];
  if (value.isMapping()) return [readVolume(value)].filter((volume) => volume !== null);
  const volumes = readList(value, readVolume);
  const names = new Set<string>();
  for (const volume of volumes) {
    if (names.has(volume.name))
      volume.value.fail(`a second volume \`${volume.name}\``, 'give each volume its own name');
    names.add(volume.name);
  }
  return volumes;
}

const VOLUME_KEYS = ['name', 'size', 'attributes'];

function readVolume(value: IclValue): IclVolume | null {
  if (!value.isMapping())
    return value.fail('must be a mapping', 'write `size: 5Gi`, and a name where there are several');
  const bytes = readSize(value, VOLUME_KEYS);
  // The keys were checked with the size.
  const members = value.members() ?? new Map<string, IclValue>();
  const nameValue = members.get('name');
  const name = nameValue?.text() ?? 'default';
  if (nameValue !== undefined) checkName('volume', name, nameValue);
  const attributesValue = members.get('attributes');
  const attributes =
    attributesValue === undefined || attributesValue.isEmpty()
      ? null
      : attributesValue.members(['persistent', 'class']);
  const persistent = attributes?.get('persistent')?.truth() ?? false;
  const classValue = attributes?.get('class');
  const storageClass = classValue?.text() ?? null;
  if (storageClass !== null && !STORAGE_CLASSES.includes(storageClass)) {
    const suggestion = nearest(storageClass, STORAGE_CLASSES);
    classValue?.fail(
      `\`${storageClass}\` is no storage class`,
      suggestion === null ? `write one of ${STORAGE_CLASSES.join(', ')}` : `did you mean \`${suggestion}\`?`,
    );
  }
  if (storageClass === 'ram' && persistent) {
    value.fail('memory is never persistent', 'write `persistent: false` for class ram');
  }
  if (persistent && (name !== 'default' || storageClass !== 'beta3') && storageClass !== 'ram') {
    value.fail('a persistent volume is named default and has class beta3', 'write `name: default` and `class: beta3`');
  }
  return { name, value, bytes, persistent, storageClass: storageClass === 'default' ? null : storageClass };
}

type Gpu = Pick<IclResources, 'milliGpu' | 'gpuValue' | 'models' | 'modelNames'>;
const NO_GPU: Gpu = { milliGpu: 0n, gpuValue: null, models: null, modelNames: [] };

function readGpu(value: IclValue | undefined, tables: IclTables): Gpu {
  if (value === undefined || value.isEmpty()) return NO_GPU;
  const members = value.members(['units', 'attributes']);
  const units = members?.get('units');
  if (units === undefined) {
    if (members !== null) value.fail('has no `units`', 'add `units`: whole GPUs, or a share like 0.5');
    return NO_GPU;
  }
  const text = units.text();
  const milliGpu = text === null ? null : parseDecimal(text, 3);
  if (text !== null && milliGpu === null) {
    units.fail(`\`${text}\` is no number of GPUs`, 'write whole GPUs like 2, or a share of one like 0.5');
  }
  if (milliGpu !== null && milliGpu > 1000n && milliGpu % 1000n !== 0n) {
    units.fail(`${text} mixes whole GPUs with a share`, 'write whole GPUs, or a share below 1');
  }
  const chosen = readGpuAttributes(members?.get('attributes'), tables);
  if (milliGpu === 0n && chosen.length > 0) {
    units.fail('models are named for no GPU', 'write `units: 1` or leave the attributes out');
  }
  return {
    milliGpu: milliGpu ?? 0n,
    gpuValue: value,
    models: chosen.length === 0 ? null : [...new Set(chosen.flatMap(({ ids }) => ids))].sort((a, b) => a - b),
    modelNames: chosen.map(({ name }) => name),
  };
}

interface ChosenModel {
  readonly name: string;
  readonly ids: readonly number[];
}

function readGpuAttributes(value: IclValue | undefined, tables: IclTables): readonly ChosenModel[] {
  if (value === undefined || value.isEmpty() || isEmptyList(value)) return [];
  const members = value.members(['vendor', 'req_vram']);
  members
    ?.get('req_vram')
    ?.fail('req_vram belongs to fizz nodes', 'leave it out and name the memory with the model, like `ram: 80Gi`');
  const vendors = members?.get('vendor')?.members();
  const chosen: ChosenModel[] = [];
  for (const [vendor, models] of vendors ?? []) {
    if (vendor !== 'nvidia') {
      models.fail(`no GPU of vendor \`${vendor}\` is known`, 'name models below `nvidia`');
      continue;
    }
    chosen.push(...readList(models, (entry) => readModel(entry, tables)));
  }
  return chosen;
}

function readModel(value: IclValue, tables: IclTables): ChosenModel | null {
  const members = value.members(['model', 'ram', 'interface']);
  if (members === null) return null;
  const modelValue = members.get('model');
  if (modelValue === undefined) return value.fail('has no `model`', 'name the model, like `model: h100`');
  const name = modelValue.text()?.toLowerCase() ?? null;
  if (name === null) return null;
  const rows = modelRows(name, tables);
  if (rows.length === 0) {
    const suggestion = nearest(name, Object.keys(tables.gpuModels));
    return modelValue.fail(
      `GPU model \`${name}\` is not known`,
      suggestion === null ? 'take a name from config/catalogue/gpuModels.json' : `did you mean \`${suggestion}\`?`,
    );
  }
  const ramValue = members.get('ram');
  const ram = ramValue === undefined ? null : readRamGib(ramValue);
  const interfaceValue = members.get('interface');
  const connection = interfaceValue?.text()?.toLowerCase() ?? null;
  if (connection !== null && connection !== 'pcie' && connection !== 'sxm') {
    interfaceValue?.fail(`\`${connection}\` is no interface`, 'write pcie or sxm');
    return null;
  }
  const fitting = rows.filter(
    ([short, row]) =>
      (ram === null || hasRam(row, ram)) && (connection === null || hasInterface(short, row, connection)),
  );
  if (fitting.length === 0) {
    return value.fail(
      `no ${name} is made with ${[ram === null ? null : `${ram} GiB`, connection].filter((part) => part !== null).join(' and ')}`,
      `known: ${rows.map(([short, row]) => `${short}${row.vramGib.length > 0 ? ` (${row.vramGib.join(', ')} GiB)` : ''}`).join(', ')}`,
    );
  }
  return { name, ids: fitting.map(([, row]) => row.id) };
}

/** The model of exactly this name, else the family that begins with it, as `a100` for `a100-80g`. */
function modelRows(name: string, tables: IclTables): readonly (readonly [string, GpuModelRow])[] {
  const exact = Object.hasOwn(tables.gpuModels, name) ? tables.gpuModels[name] : undefined;
  if (exact !== undefined) return [[name, exact]];
  return Object.entries(tables.gpuModels).filter(([short]) => short.startsWith(`${name}-`));
}

function readRamGib(value: IclValue): number | null {
  const text = value.text();
  const bytes = text === null ? null : parseBytes(text);
  if (bytes === null || bytes % (1n << 30n) !== 0n) {
    if (text !== null) value.fail(`\`${text}\` is no GPU memory`, 'write whole GiB, like 80Gi');
    return null;
  }
  return Number(bytes >> 30n);
}

function hasRam(row: GpuModelRow, gib: number): boolean {
  return row.vramGib.length === 0 || row.vramGib.includes(gib);
}

function hasInterface(short: string, row: GpuModelRow, connection: string): boolean {
  const named = ['pcie', 'sxm'].filter((kind) => short.split('-').includes(kind));
  const known = named.length > 0 ? named : row.interfaces;
  return known.length === 0 || known.includes(connection);
}

function isEmptyList(value: IclValue): boolean {
  return value.isList() && value.entries()?.length === 0;
}
