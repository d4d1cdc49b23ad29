/** What an order takes of a machine. */
export interface Resources {
  readonly milliGpu: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
}

/**
 * Price of `resources` at an offer's unit prices, in micro-units of its token per hour: each of the four terms floored
 * (milliGpu x pGpu / 1000 + cpuMilli x pCpu / 1000 + memoryMib x pMem / 1024 + storageGib x pStor / 1024).
 */
export function priceAt(
  resources: Resources,
  gpuMicroPerHour: number,
  coreMicroPerHour: number,
  memoryGibMicroPerHour: number,
  storageTibMicroPerHour: number,
): number {
  return (
    Math.floor((resources.milliGpu * gpuMicroPerHour) / 1000) +
    Math.floor((resources.cpuMilli * coreMicroPerHour) / 1000) +
    Math.floor((resources.memoryMib * memoryGibMicroPerHour) / 1024) +
    Math.floor((resources.storageGib * storageTibMicroPerHour) / 1024)
  );
}
