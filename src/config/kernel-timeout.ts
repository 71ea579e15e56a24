/** With less patience than this the silence of a peer would be judged before the kernel has been asked for its counts. */
export const LEAST_KERNEL_TIMEOUT_MS = 5000;
