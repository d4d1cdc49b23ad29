import type { WorkloadTask } from './parseWorkload.js';
import { seededNumbers } from './seededNumbers.js';

/**
 * The order in which tasks arrive: sorted by name, shuffled by the seed, then brought to `inflatePermille` of the installed milli-GPU.
 * Below it tasks are drawn from the whole list, with replacement, and appended until a draw would pass it with one of its devices; that
 * draw is dropped. Above it drawn tasks are removed until it holds.
 */
export function arrivalsOf(
  tasks: readonly WorkloadTask[],
  installedMilliGpu: number,
  inflatePermille: number,
  seed: number,
): WorkloadTask[] {
  const draw = seededNumbers(seed);
  const arrivals = [...tasks].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (let index = arrivals.length - 1; index > 0; index--) {
    const other = draw(index + 1);
    [arrivals[index], arrivals[other]] = [arrivals[other]!, arrivals[index]!];
  }
  const shuffled = [...arrivals];
  const wanted = installedMilliGpu * inflatePermille;
  let requested = arrivals.reduce((sum, { milliGpu }) => sum + milliGpu, 0);
  while (requested * 1000 > wanted) {
    const [removed] = arrivals.splice(draw(arrivals.length), 1);
    requested -= removed!.milliGpu;
  }
  // Tasks without GPU alone would never bring the load up.
  if (!shuffled.some(({ milliGpu }) => milliGpu > 0)) return arrivals;
  if (arrivals.length < shuffled.length) return arrivals;
  for (;;) {
    const drawn = shuffled[draw(shuffled.length)]!;
    if ((requested + Math.min(drawn.milliGpu, 1000)) * 1000 > wanted) return arrivals;
    arrivals.push(drawn);
    requested += drawn.milliGpu;
  }
}
