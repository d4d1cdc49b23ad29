import { parentPort } from 'node:worker_threads';
import { BenchTasks } from './benchTask.js';
import type { BenchTask } from './benchTask.js';

const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');
const tasks = new BenchTasks();
port.on('message', (task: BenchTask) => {
  const answer = tasks.run(task);
  port.postMessage(answer, answer.kind === 'match' ? [answer.records.buffer] : []);
});
