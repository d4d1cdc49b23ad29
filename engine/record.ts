/** One match of a batch: the order, the machine it goes to, and the terms it takes. */
export interface MatchRecord {
  readonly orderId: number;
  readonly machineId: number;
  readonly priceMicroPerHour: number;
  /** Bit i is device i of the machine. */
  readonly deviceMask: number;
  readonly milliGpu: number;
  readonly cpuMilli: number;
  readonly memoryMib: number;
  readonly storageGib: number;
  /** Which of the machine's four offers set the price; 0 when it came from a bid. */
  readonly offerIndex: number;
  readonly fromBid: boolean;
  readonly tokenId: number;
  readonly providerId: number;
  /** Index of the bid; 0 unless `fromBid`. */
  readonly bidIndex: number;
}
