/** Unit prices of an offer in micro-units of its token per hour, as the Solidity struct of the same name. */
export interface OfferTerms {
  readonly tokenId: number;
  readonly gpuMicroPerHour: number;
  readonly coreMicroPerHour: number;
  readonly memoryGibMicroPerHour: number;
  /** Per 1024 GiB. */
  readonly storageTibMicroPerHour: number;
}
