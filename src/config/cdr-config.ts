/** Call records, as the rest of the program sees their configuration. */
export interface CdrConfig {
  /** Empty: none are written. */
  readonly file: string;
  readonly hasJournal: boolean;
  /** Each batch reaches the disk before it counts as written. */
  readonly isSynced: boolean;
  readonly hasStartEvents: boolean;
  /** 0: any size, no periods, all old files stay. */
  readonly rotation: {
    readonly sizeBytes: number;
    readonly everyMs: number;
    readonly keep: number;
  };
}
