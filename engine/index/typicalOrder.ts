/**
 * The order for which rows are clustered: one whole GPU (or none), eight cores, 32 GiB of memory, 256 GiB of storage. It decides the
 * layout alone; whatever the orders ask, the layout has no effect on results.
 */
export const TYPICAL_MILLI_GPU = 1000;
export const TYPICAL_CORES = 8;
export const TYPICAL_MEMORY_GIB = 32;
export const TYPICAL_STORAGE_TIB = 0.25;
