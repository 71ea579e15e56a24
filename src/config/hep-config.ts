/** Capture by Homer, as the rest of the program sees its configuration. */
export interface HepConfig {
  /** `undefined`: nothing is sent. */
  readonly server: { readonly host: string; readonly port: number } | undefined;
  readonly captureId: number;
  /** Empty: packets name no node. */
  readonly nodeName: string;
  /** Empty: packets carry none. */
  readonly password: string;
  readonly sendsSip: boolean;
  readonly sendsDecisions: boolean;
  readonly sendsDigits: boolean;
}
