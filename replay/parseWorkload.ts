import { WorkloadInvalidError } from './workloadError.js';

/** A machine of a workload, empty. */
export interface WorkloadMachine {
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly devices: number;
  /** Empty for a machine without GPU. */
  readonly model: string;
}

/** A task of a workload. */
export interface WorkloadTask {
  readonly name: string;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  /** 0, 1..1000, or a multiple of 1000. */
  readonly milliGpu: number;
  /** Accepted GPU models; empty for any, and for a task without GPU. */
  readonly models: readonly string[];
}

/** A file's name, for messages, and its text. */
export interface WorkloadFile {
  readonly name: string;
  readonly text: string;
}

const MAX_CPU_MILLI = 2 ** 20 - 1;
const MAX_MEMORY_MIB = 2 ** 24 - 1;
const MAX_DEVICES = 8;

/**
 * Machines from comma-separated lines below a heading that names at least cpu_milli, memory_mib, gpu (devices, 0..8) and model.
 * Throws WorkloadInvalidError.
 */
export function parseMachines(file: WorkloadFile): WorkloadMachine[] {
  return rowsOf(file, ['cpu_milli', 'memory_mib', 'gpu', 'model']).map((row) => {
    const devices = row.integer('gpu', 0, MAX_DEVICES);
    const model = row.text('model');
    if (devices > 0 && model === '') throw row.error('model', 'is empty on a machine with GPUs');
    return {
      cpuMilli: row.integer('cpu_milli', 0, MAX_CPU_MILLI),
      memoryMib: row.integer('memory_mib', 0, MAX_MEMORY_MIB),
      devices,
      model,
    };
  });
}

/**
 * Tasks from comma-separated lines below a heading that names at least name, cpu_milli, memory_mib, num_gpu (devices, 0..8), gpu_milli
 * (of the one device, where num_gpu is 1) and gpu_spec (accepted models, separated by |). Throws WorkloadInvalidError.
 */
export function parseTasks(file: WorkloadFile): WorkloadTask[] {
  return rowsOf(file, ['name', 'cpu_milli', 'memory_mib', 'num_gpu', 'gpu_milli', 'gpu_spec']).map((row) => {
    const devices = row.integer('num_gpu', 0, MAX_DEVICES);
    const spec = row.text('gpu_spec');
    return {
      name: row.text('name'),
      cpuMilli: row.integer('cpu_milli', 0, MAX_CPU_MILLI),
      memoryMib: row.integer('memory_mib', 0, MAX_MEMORY_MIB),
      milliGpu: devices === 1 ? row.integer('gpu_milli', 1, 1000) : devices * 1000,
      models: devices === 0 || spec === '' ? [] : spec.split('|').filter((model) => model !== ''),
    };
  });
}

interface Row {
  text: (column: string) => string;
  integer: (column: string, least: number, most: number) => number;
  error: (column: string, problem: string) => WorkloadInvalidError;
}

function rowsOf({ name, text }: WorkloadFile, columns: readonly string[]): Row[] {
  const [heading = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const names = heading.split(',');
  for (const column of columns) {
    if (!names.includes(column)) throw new WorkloadInvalidError(name, 1, column, 'is missing from the heading');
  }
  const rows = lines.flatMap((line, index) => (line === '' ? [] : [rowOf(name, names, line, index + 2)]));
  if (rows.length === 0) throw new WorkloadInvalidError(name, 2, null, 'there is no line below the heading');
  return rows;
}

function rowOf(file: string, names: readonly string[], line: string, number: number): Row {
  if (line.includes('"')) throw new WorkloadInvalidError(file, number, null, 'quoted values are not read');
  const values = line.split(',');
  if (values.length !== names.length) {
    throw new WorkloadInvalidError(file, number, null, `has ${values.length} values, the heading ${names.length}`);
  }
  const text = (column: string): string => values[names.indexOf(column)]!;
  const error = (column: string, problem: string): WorkloadInvalidError =>
    new WorkloadInvalidError(file, number, column, problem);
  return {
    text,
    error,
    integer(column, least, most) {
      const value = text(column);
      if (/^\d{1,15}$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
      throw error(column, `\`${value}\` is no integer from ${least} to ${most}`);
    },
  };
}
