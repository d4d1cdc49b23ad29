import { parentPort } from 'node:worker_threads';

import { messageOf } from '../thrown.js';
import { loadCurves } from './curves.js';
import { verifyTask, type VerificationResult, type VerificationTask } from './verification.js';

/** From a worker: once at the start, then for every list of tasks one of results in the same order. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly results: readonly (VerificationResult | { readonly error: string })[] };

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');
const curves = await loadCurves();
port.on('message', (tasks: readonly VerificationTask[]) => {
  const results = tasks.map((task) => {
    try {
      return verifyTask(task, curves);
    } catch (error) {
      return { error: messageOf(error) };
    }
  });
  port.postMessage({ kind: 'done', results } satisfies WorkerMessage);
});
port.postMessage({ kind: 'ready' } satisfies WorkerMessage);
