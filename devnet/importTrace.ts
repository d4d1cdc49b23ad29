import { validateOrderSpec, LIST_LIMIT, OrderFieldInvalidError } from '../protocol/orderSpec.js';
import { REGIONS } from './catalogue.js';
import { ANYTHING, listPrice, offers, provider } from './generateMarket.js';
import type { MachinePlan, MarketPlan, OrderPlan } from './marketPlan.js';
import { SeededRandom } from './random.js';
import { readTraceTable, TraceFileError, type TraceRow } from './traceTable.js';

export interface TraceOptions {
  /** CSV of machines: cpu_milli, memory_mib, gpu, model. */
  readonly nodesFile: string;
  /** CSV of tasks: cpu_milli, memory_mib, num_gpu, gpu_milli, gpu_spec. */
  readonly podsFile: string;
  /** Takes the first so many tasks; all when undefined. */
  readonly orders: number | undefined;
  readonly providers: number;
  readonly seed: number;
}

const TENANTS = 8;
const MOST_DEVICES = 8;
const MOST_CPU_MILLI = 2 ** 20 - 1;
const MOST_MEMORY_MIB = 2 ** 24 - 1;
const MOST_MODEL_ID = 1_023;
/** The trace says nothing about disks; its tasks ask for none. */
const STORAGE_GIB = 1_024;
/** What a GPU of the trace is offered around, millionths of a dollar per hour; the trace names no prices. */
const GPU_LIST_PRICE = 300_000;
/** Thirty days: every lease outlasts the run. */
const DURATION_MINUTES = 30 * 24 * 60;

/**
 * The market of a cluster trace: its machines spread over providers with terms of their own, its tasks as orders that any machine with the
 * capacity and the model may take. A task with one GPU asks for `gpu_milli` of a device, one with more for that many whole devices, one
 * without for none; a task that names no cpu counts as one milli-cpu, the least an order may ask. Throws TraceFileError naming file and line.
 */
export function importTrace(options: TraceOptions): MarketPlan {
  const random = new SeededRandom(options.seed);
  const models = new ModelIds(options.nodesFile);
  const providers = Array.from({ length: options.providers }, (_, index) => provider(random, index));
  const terms = providers.map(() => ({ region: random.pick(REGIONS), level: random.between(70, 140) }));

  const nodes = readTraceTable(options.nodesFile, ['cpu_milli', 'memory_mib', 'gpu', 'model']);
  const machines = nodes.map((row, index): MachinePlan => {
    const deviceCount = row.integer('gpu', 0, MOST_DEVICES);
    const model = row.text('model');
    if ((deviceCount === 0) !== (model === '')) {
      throw new TraceFileError(
        options.nodesFile,
        `gpu is ${deviceCount} and model '${model}': a machine has both or neither`,
        row.line,
      );
    }
    const owner = index % options.providers;
    const { region, level } = terms[owner] as (typeof terms)[number];
    return {
      provider: owner,
      spec: {
        model: model === '' ? 0 : models.idOf(model, row),
        region: region.id,
        cpuMilli: row.integer('cpu_milli', 1, MOST_CPU_MILLI),
        memoryMib: row.integer('memory_mib', 0, MOST_MEMORY_MIB),
        storageGib: STORAGE_GIB,
        deviceCount,
      },
      // One token for all, so that no task is kept from a machine by anything but capacity and model.
      offers: offers(random, deviceCount === 0 ? 0 : GPU_LIST_PRICE, level).slice(0, 1),
    };
  });

  const pods = readTraceTable(options.podsFile, ['cpu_milli', 'memory_mib', 'num_gpu', 'gpu_milli', 'gpu_spec']);
  const orders = pods
    .slice(0, options.orders)
    .map((row, index): OrderPlan => ({ tenant: index % TENANTS, spec: orderSpec(options.podsFile, row, models) }));
  return { providers, machines, orders, tenantCount: TENANTS, modelNames: models.names() };
}

function orderSpec(file: string, row: TraceRow, models: ModelIds): OrderPlan['spec'] {
  const gpus = row.integer('num_gpu', 0, MOST_DEVICES);
  const names = row
    .text('gpu_spec')
    .split('|')
    .filter((name) => name !== '');
  if (names.length > LIST_LIMIT)
    throw new TraceFileError(
      file,
      `gpu_spec names ${names.length} models, at most ${LIST_LIMIT} fit an order`,
      row.line,
    );
  const spec = {
    ...ANYTHING,
    milliGpu: gpus === 1 ? row.integer('gpu_milli', 1, 1_000) : gpus * 1_000,
    cpuMilli: Math.max(1, row.integer('cpu_milli', 0, MOST_CPU_MILLI)),
    memoryMib: row.integer('memory_mib', 0, MOST_MEMORY_MIB),
    models: gpus === 0 ? [] : names.map((name) => models.idOf(name, row)),
    durationMinutes: DURATION_MINUTES,
  };
  // No offer exceeds 1.5 times the list, so price ranks machines and shuts none out.
  const priced = {
    ...spec,
    maxPriceMicroPerHour: 2 * listPrice(spec.milliGpu, spec.cpuMilli, spec.memoryMib, GPU_LIST_PRICE),
  };
  try {
    validateOrderSpec(priced);
  } catch (error) {
    if (error instanceof OrderFieldInvalidError) throw new TraceFileError(file, error.message, row.line);
    throw error;
  }
  return priced;
}

/** Model ids by name, given in the order in which the names appear. */
class ModelIds {
  readonly #ids = new Map<string, number>();
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  idOf(name: string, row: TraceRow): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = this.#ids.size + 1;
    if (id > MOST_MODEL_ID) throw new TraceFileError(this.#file, `more than ${MOST_MODEL_ID} GPU models`, row.line);
    this.#ids.set(name, id);
    return id;
  }

  names(): ReadonlyMap<number, string> {
    return new Map([...this.#ids].map(([name, id]) => [id, name]));
  }
}
