import { Worker } from 'node:worker_threads';
import { BenchTasks } from './benchTask.js';
import type { BenchAnswer, BenchTask } from './benchTask.js';

/** Something that does one task at a time. */
export interface BenchThread {
  run<Kind extends BenchTask['kind']>(
    task: Extract<BenchTask, { kind: Kind }>,
  ): Promise<Extract<BenchAnswer, { kind: Kind }>>;
  close(): Promise<void>;
}

/** A worker thread that runs `file`; a task that throws there rejects here. */
export function openThread(file: URL): BenchThread {
  const worker = new Worker(file);
  return {
    run: (task) =>
      new Promise((resolve, reject) => {
        const onMessage = (answer: unknown): void => settle(() => resolve(answer as never));
        const onError = (error: unknown): void => settle(() => reject(error));
        const onExit = (code: number): void => settle(() => reject(new Error(`the thread ended with code ${code}`)));
        const settle = (act: () => void): void => {
          worker.off('message', onMessage).off('error', onError).off('exit', onExit);
          act();
        };
        worker.on('message', onMessage).on('error', onError).on('exit', onExit);
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
        worker.postMessage(task);
      }),
    close: async () => {
      await worker.terminate();
    },
  };
}

/** The same without a thread, one after the other: for runs that compare results and not times. */
export function sameThread(): BenchThread {
  const tasks = new BenchTasks();
  return {
    run: async (task) => tasks.run(task) as never,
    close: async () => {},
  };
}
